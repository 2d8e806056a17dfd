/* A program in C that calls the library LIBRARY as an executable would be called. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cni_bytes { const uint8_t *start; size_t length; };
struct cni_answer { int32_t exit_code; struct cni_bytes output, messages; };

extern char **environ;

/* Adds to `bytes`, which this program made itself. */
static void append(struct cni_bytes *bytes, const void *more, size_t length) {
    uint8_t *start = realloc((void *)bytes->start, bytes->length + length + 1);
    memcpy(start + bytes->length, more, length);
    *bytes = (struct cni_bytes){start, bytes->length + length};
}

int main(void) {
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!library) return fprintf(stderr, "%s\n", dlerror()), 101;
    uint32_t (*version)(void) = dlsym(library, "cni_plugin_abi_version");
    struct cni_answer (*call)(struct cni_bytes, struct cni_bytes) = dlsym(library, "cni_plugin_call");
    void (*free_answer)(struct cni_answer) = dlsym(library, "cni_plugin_free");
    if (!version || !call || !free_answer || version() != 1) return 102;

    struct cni_bytes environment = {0}, input = {0};
    for (char **variable = environ; *variable; variable++) append(&environment, *variable, strlen(*variable) + 1);
    char buffer[4096];
    for (size_t length; (length = fread(buffer, 1, sizeof buffer, stdin));) append(&input, buffer, length);

    struct cni_answer answer = call(environment, input);
    fwrite(answer.output.start, 1, answer.output.length, stdout);
    fwrite(answer.messages.start, 1, answer.messages.length, stderr);
    free_answer(answer);
    return answer.exit_code;
}
