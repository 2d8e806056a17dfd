/* A plugin in C: what stands in place of BODY makes the answer. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct cni_bytes { const uint8_t *start; size_t length; };
struct cni_answer { int32_t exit_code; struct cni_bytes output, messages; };

static _Atomic int inside, not_freed;

static struct cni_bytes bytes(const void *start, size_t length) {
    void *copy = malloc(length + 1);
    return (struct cni_bytes){memcpy(copy, start, length), length};
}

static struct cni_bytes text(const char *text) { return bytes(text, strlen(text)); }

static void keep(const char *file, struct cni_bytes bytes) {
    FILE *stream = fopen(file, "w");
    fwrite(bytes.start, 1, bytes.length, stream);
    fclose(stream);
}

#ifndef VERSION
#define VERSION 1
#endif

uint32_t cni_plugin_abi_version(void) { return VERSION; }

#ifdef LOADING
__attribute__((constructor)) static void loaded(void) { LOADING; }
#endif

struct cni_answer cni_plugin_call(struct cni_bytes environment, struct cni_bytes input) {
    struct cni_answer answer = {0};
    (void)environment, (void)input, (void)text, (void)keep;
    not_freed++;
    inside++;
    BODY
    inside--;
    return answer;
}

void cni_plugin_free(struct cni_answer answer) {
    free((void *)answer.output.start);
    free((void *)answer.messages.start);
    not_freed--;
}
