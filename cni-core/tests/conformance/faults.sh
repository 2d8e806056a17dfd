# What every faulty plugin is made of: the scripted plugin, with a fault before or after it.
plugin() { "$SCRIPTED"; }
is() { [ "$CNI_COMMAND" = "$1" ]; }
# answer EDIT: edits what the plugin answers.
answer() { answer=$(plugin) && code=0 || code=$?; printf %s "$answer" | sed "$1"; exit $code; }
# ask EDIT: edits what the plugin is asked.
ask() { sed "$1" | plugin; exit; }
# refuse CODE: answers with an error.
refuse() { printf '{"cniVersion":"1.1.0","code":%s,"msg":"refuse"}' "$1"; exit 1; }
