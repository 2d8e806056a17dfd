//! Faults, each a script that stands before the scripted plugin, and the cases that it fails.

const ABOUT: &str = "without a command it says on stderr which versions it takes";
const VERSION: &str = "VERSION is answered with every version that it takes";
const ECHO: &str = "VERSION is answered in the version of the question";
const GARBAGE: &str = "VERSION is answered whatever stdin holds";
const REFUSED: &str = "a version that it does not take is refused with code 1";
const ABSENT: &str = "a configuration without a version is one of 0.1.0";
const GATED: &str = "CHECK, GC and STATUS are refused below the version that has them, with code 1";
const MISSING: &str = "variables that are missing are named together, with code 4";
const INVALID: &str = "a container id or interface name that is none is refused with code 4";
const INVALID_FIRST: &str = "what is invalid is refused before what is missing";
const BEFORE_STDIN: &str = "the environment is looked at before stdin";
const UNKNOWN: &str = "an unknown verb is refused with code 4";
const ERROR: &str = "an error is one object on stdout, with exit code 1";
const UNDECODABLE: &str = "what is no JSON object is refused with code 6, before the verb is looked at";
const CUT_OFF: &str = "input that is cut off is refused with code 6";
const NAMELESS: &str = "a missing network name is refused with code 7, before the verb is looked at";
const MISNAMED: &str = "a network name that is none is refused with code 7, before the verb is looked at";
const DEL_OF_NOTHING: &str = "DEL of what is not there succeeds, twice, with and without a namespace";
const RUNTIME_KEYS: &str = "keys that the runtime adds are no reason to refuse a configuration";
const GC: &str = "GC succeeds, whatever it is told is valid";
const STATUS: &str = "STATUS is answered with nothing or with an error";
const LAYOUT: &str = "ADD answers in the layout of the configuration's version";
const HANDS_ON: &str = "ADD hands on what the plugin before it answered";
const CHECK: &str = "CHECK succeeds after ADD";
const AGAIN: &str = "DEL succeeds as often as it is sent, and ADD succeeds after it";
pub(crate) const DELETES: &str = "DEL, with and without a result, leaves nothing that CHECK accepts";
const WITHOUT_RESULT: &str = "DEL succeeds without a result";
const GC_KEEPS: &str = "GC lets live what is valid";
const GC_UNTOLD: &str = "GC that is not told what is valid deletes nothing";

/// With exactly the cases that fail.
pub(crate) const FAULTS: &[(&str, &[&str])] = &[
    // The about text on stdout.
    (r#"is "" && plugin 2>&1 || plugin"#, &[ABOUT]),
    // No version at all.
    (
        r#"is VERSION && answer 's/\[.*\]/[]/'; plugin"#,
        &[VERSION, ECHO, GARBAGE],
    ),
    // Always the same version.
    ("is VERSION && plugin </dev/null || plugin", &[ECHO]),
    // VERSION reads stdin as everybody else does.
    (
        r#"is VERSION && { question=$(cat); [ "$question" = garbage ] && refuse 6; answer=$(echo "$question" | plugin); echo "$answer"; exit; }; plugin"#,
        &[GARBAGE],
    ),
    // "1.0" is taken for "1.0.0".
    (
        r#"is ADD && ask 's/"cniVersion":"1.0"/"cniVersion":"1.0.0"/'; plugin"#,
        &[REFUSED],
    ),
    // No version is an error.
    (
        r#"is DEL && { input=$(cat); case $input in *'"cniVersion":""'*) refuse 1;; esac; printf %s "$input" | plugin; exit; }; plugin"#,
        &[ABSENT],
    ),
    // STATUS in every version.
    (
        r#"is STATUS && ask 's/"cniVersion":"[01].[0-4].[01]"/"cniVersion":"1.1.0"/'; plugin"#,
        &[GATED],
    ),
    // Names one variable of all that are missing.
    (r#"answer 's/,CNI_.*\] missing/] missing/'"#, &[MISSING]),
    // Takes every interface name.
    (r#"[ -n "$CNI_IFNAME" ] && CNI_IFNAME=eth0; plugin"#, &[INVALID]),
    // Says what is missing first.
    (
        r#"[ "$CNI_CONTAINERID:$CNI_PATH" = a/b: ] && CNI_CONTAINERID=; plugin"#,
        &[INVALID_FIRST],
    ),
    // Reads stdin first.
    (
        r#"is GC && { input=$(cat); [ "$input" = garbage ] && refuse 6; printf %s "$input" | plugin; exit; }; plugin"#,
        &[BEFORE_STDIN],
    ),
    // Knows one verb more.
    ("is UPDATE && exit 0; plugin", &[UNKNOWN]),
    // An error that does not say its version.
    (r#"answer 's/^{"cniVersion":"[^"]*","code"/{"code"/'"#, &[ERROR]),
    // Wrong codes.
    (r#"answer 's/"code":6/"code":999/'"#, &[UNDECODABLE, CUT_OFF]),
    (
        r#"is STATUS && answer 's/"code":7/"code":8/'; plugin"#,
        &[NAMELESS, MISNAMED],
    ),
    // DEL needs a namespace.
    (
        r#"is DEL && [ -z "$CNI_NETNS" ] && [ -n "$CNI_IFNAME" ] && [ "$CNI_PATH" ] && refuse 8; plugin"#,
        &[DEL_OF_NOTHING],
    ),
    // Knows its own keys alone.
    (
        r#"is DEL && { input=$(cat); case $input in *capabilities*) refuse 7;; esac; printf %s "$input" | plugin; exit; }; plugin"#,
        &[RUNTIME_KEYS],
    ),
    // GC and STATUS say something.
    (
        "plugin || exit 1; is GC && echo done; exit 0",
        &[GC, GC_KEEPS, GC_UNTOLD],
    ),
    ("plugin || exit 1; is STATUS && echo ready; exit 0", &[STATUS]),
    // The layout of 1.0.0 in every version.
    (r#"is ADD && answer 's/"version":"4",//g'; plugin"#, &[LAYOUT]),
    // Forgets the interfaces before its own.
    (
        r#"is ADD && answer 's/"interfaces":\[{"name":"a"}/"interfaces":[{"name":"b"}/'; plugin"#,
        &[HANDS_ON],
    ),
    // Never finds what it made.
    (
        r#"is CHECK && answer=$(plugin) && refuse 100; printf %s "$answer"; is CHECK && exit 1; plugin"#,
        &[CHECK, GC_KEEPS, GC_UNTOLD],
    ),
    // DEL needs what ADD answered.
    (
        r#"is DEL && { input=$(cat); case $CNI_NETNS:$input in /nowhere/ns:*prevResult*) ;; /nowhere/ns:*) refuse 6;; esac; printf %s "$input" | plugin; exit; }; plugin"#,
        &[DELETES, WITHOUT_RESULT],
    ),
    // DEL removes nothing, or nothing if it has no result.
    (
        r#"is DEL && [ "$CNI_NETNS" = /nowhere/ns ] && export CNI_CONTAINERID=other; plugin"#,
        &[DELETES],
    ),
    (
        r#"is DEL && { input=$(cat); case $CNI_NETNS:$input in /nowhere/ns:*prevResult*) ;; /nowhere/ns:*) export CNI_CONTAINERID=other;; esac; printf %s "$input" | plugin; exit; }; plugin"#,
        &[DELETES],
    ),
    // GC takes a list that is absent for an empty one, or lets nothing live.
    (
        r#"is GC && ask 's/^{"/{"cni.dev\/valid-attachments":[],"/'; plugin"#,
        &[GC_UNTOLD],
    ),
    (
        r#"is GC && ask 's/"containerID":"conformance"/"containerID":"other"/'; plugin"#,
        &[GC_KEEPS],
    ),
    // The second DEL finds nothing.
    (
        r#"[ "$CNI_NETNS" = /nowhere/ns ] || { plugin; exit; }; is ADD && rm -f "$0.deleted"; is DEL && { [ -e "$0.deleted" ] && refuse 100; : >"$0.deleted"; }; plugin"#,
        &[AGAIN],
    ),
];

/// With a case that is among those that fail.
pub(crate) const BROAD: &[(&str, &str)] = &[
    // Text on stdout that is no JSON.
    ("is ADD && echo starting; plugin", ERROR),
    ("is ADD && echo starting; plugin", LAYOUT),
    // Exit code 0 with an error.
    ("plugin; exit 0", ERROR),
    ("plugin; exit 0", NAMELESS),
    // Errors on stderr.
    (
        r#"answer=$(plugin) && { printf %s "$answer"; exit 0; }; printf %s "$answer" >&2; exit 1"#,
        ERROR,
    ),
    // Killed.
    ("is CHECK && kill -9 $$; plugin", GATED),
];
