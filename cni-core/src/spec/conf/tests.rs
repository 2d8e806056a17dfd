use super::{ConfError, ConfList, PluginConf};
use crate::spec::{Code, Error, Object, Version};

const GOLDEN: [&str; 2] = [
    include_str!("golden/0.4.0.conflist"),
    include_str!("golden/1.1.0.conflist"),
];

const ONE: &str = r#""name":"n","plugins":[{"type":"bridge"}]"#;

/// Reads the list `{input}`; `expected` is what `show` gives, or the error's text.
#[track_caller]
fn check(input: &str, show: impl Fn(&ConfList) -> String, expected: &str) {
    let list = ConfList::from_bytes(format!("{{{input}}}").as_bytes());
    let shown = list.map_or_else(|e| Error::from(e).to_string(), |list| show(&list));
    assert_eq!(shown, expected, "{input}");
}

fn version(list: &ConfList) -> String {
    list.version.to_string()
}

fn flags(list: &ConfList) -> String {
    format!("{} {}", list.disable_check, list.disable_gc)
}

fn plugins(list: &ConfList) -> String {
    let one = |p: &PluginConf| format!("{}{:?}", p.kind, p.capabilities);
    list.plugins().map(one).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_specification_s_examples_are_read_and_written_again() {
    for text in GOLDEN {
        let list = ConfList::from_bytes(text.as_bytes()).unwrap();
        assert_eq!(list.name.as_str(), "dbnet");
        assert_eq!(ConfList::from_object(list.to_object().unwrap()).unwrap(), list);
    }
    let list = ConfList::from_bytes(GOLDEN[1].as_bytes()).unwrap();
    assert_eq!(list.version, Version::V1_1_0);
    assert_eq!(
        plugins(&list),
        r#"bridge{} tuning{"mac"} portmap{"portMappings"}"#
    );
}

#[test]
fn a_list_that_is_cut_anywhere_is_an_error_and_no_panic() {
    for text in GOLDEN.map(str::trim_end) {
        for end in 0..text.len() {
            let cut = &text.as_bytes()[..end];
            assert!(ConfList::from_bytes(cut).is_err(), "cut at {end}");
            assert!(ConfList::from_plugin_bytes(cut).is_err(), "cut at {end}");
        }
    }
}

#[test]
fn the_highest_version_that_is_spoken_is_used() {
    for (keys, expected) in [
        ("", "0.1.0"),
        (r#""cniVersion":"","#, "0.1.0"),
        (r#""cniVersion":"0.4.0","#, "0.4.0"),
        (r#""cniVersion":"9.9.9","#, "9.9.9"),
        (r#""cniVersions":["1.0.0","1.1.0","2.0.0"],"#, "1.1.0"),
        (
            r#""cniVersion":"1.0.0","cniVersions":["0.3.1","0.4.0"],"#,
            "1.0.0",
        ),
        (
            r#""cniVersion":"0.4.0","cniVersions":["0.10.0","1.0.0"],"#,
            "1.0.0",
        ),
        (r#""cniVersion":"9.9.9","cniVersions":["0.3.1"],"#, "0.3.1"),
        (r#""cniVersion":"1.0.0","cniVersions":[],"#, "1.0.0"),
        (r#""cniVersion":"2.0.0","cniVersions":["3.0.0"],"#, "2.0.0"),
        (r#""cniVersions":["2.0.0","3.0.0"],"#, "3.0.0"),
        (r#""cniVersions":[],"#, "0.1.0"),
        (r#""cniVersions":["1","1.0","0.4.0"],"#, "0.4.0"),
    ] {
        check(&format!("{keys}{ONE}"), version, expected);
    }
}

#[test]
fn an_entry_that_is_no_version_is_an_error() {
    let not_three = |text: &str| format!("version {text:?} is not three numbers with dots between");
    check(
        &format!(r#""cniVersions":["1.0.0","x"],{ONE}"#),
        version,
        &not_three("x"),
    );
    check(
        &format!(r#""cniVersion":"1.0",{ONE}"#),
        version,
        &not_three("1.0"),
    );
    check(
        &format!(r#""cniVersions":["1.0"],{ONE}"#),
        version,
        &not_three("1.0"),
    );
    for bad in [
        r#""cniVersion":1,"#,
        r#""cniVersions":"1.0.0","#,
        r#""cniVersions":[1],"#,
    ] {
        let list = ConfList::from_bytes(format!("{{{bad}{ONE}}}").as_bytes());
        assert!(matches!(list, Err(ConfError::Object(_))), "{bad}");
    }
}

#[test]
fn flags_are_bools_or_their_text_in_any_case() {
    for (keys, expected) in [
        ("", "false false"),
        (r#""disableCheck":true,"disableGC":false,"#, "true false"),
        (r#""disableCheck":"True","disableGC":"TRUE","#, "true true"),
        (r#""disableCheck":"fAlse","disableGC":false,"#, "false false"),
        (
            r#""disableCheck":1,"#,
            r#"key "disableCheck" is 1, not true or false"#,
        ),
        (
            r#""disableGC":"yes","#,
            r#"key "disableGC" is "yes", not true or false"#,
        ),
        (
            r#""disableGC":"","#,
            r#"key "disableGC" is "", not true or false"#,
        ),
    ] {
        check(&format!("{keys}{ONE}"), flags, expected);
    }
}

#[test]
fn null_is_no_value_of_a_key_of_the_list() {
    for key in ["cniVersion", "cniVersions", "disableCheck", "disableGC"] {
        let expected = format!("key {key:?} is null");
        check(&format!(r#""{key}":null,{ONE}"#), version, &expected);
    }
}

#[test]
fn a_plugin_s_known_keys_hold_what_plugins_can_decode() {
    for bad in [
        r#""name":1"#,
        r#""cniVersion":1"#,
        r#""ipam":"host-local""#,
        r#""ipam":{"type":1}"#,
        r#""dns":[]"#,
        r#""dns":{"search":"a"}"#,
        r#""prevResult":"x""#,
        r#""cni.dev/valid-attachments":{}"#,
    ] {
        let plugin =
            |known: &str| Object::from_slice(format!(r#"{{"type":"t",{known}}}"#).as_bytes()).unwrap();
        assert!(
            matches!(PluginConf::from_object(plugin(bad), 0), Err(ConfError::Object(_))),
            "{bad}"
        );
        let key = bad.split_once(':').unwrap().0;
        let null = plugin(&format!("{key}:null"));
        assert!(PluginConf::from_object(null, 0).is_ok(), "{key}");
    }
}

#[test]
fn a_list_has_a_name_and_plugins_with_types() {
    for (input, expected) in [
        (r#""plugins":[{"type":"a"}]"#, "missing network name"),
        (r#""name":"","plugins":[{"type":"a"}]"#, "missing network name"),
        (
            r#""name":"-n","plugins":[{"type":"a"}]"#,
            r#"network name; network name "-n" is not an alphanumeric followed by alphanumerics, '_', '.' or '-'"#,
        ),
        (r#""name":"n""#, "no plugins in list"),
        (r#""name":"n","plugins":[]"#, "no plugins in list"),
        (
            r#""name":"n","loadOnlyInlinedPlugins":true"#,
            "no plugins in list",
        ),
        (
            r#""name":"n","plugins":[{"type":"a"},{}]"#,
            "missing 'type' of plugin 1",
        ),
        (
            r#""name":"n","plugins":[{"type":""}]"#,
            "missing 'type' of plugin 0",
        ),
        (
            r#""name":"n","plugins":[{"type":"../a"}]"#,
            r#"type of plugin 0; plugin type "../a" is not the plain name of an executable"#,
        ),
        (r#""name":"n","plugins":[{"type":"a"},{"type":"b"}]"#, "a{} b{}"),
    ] {
        check(input, plugins, expected);
    }
}

#[test]
fn only_capabilities_declared_true_count() {
    let with = |c: &str| format!(r#""name":"n","plugins":[{{"type":"a","capabilities":{c}}}]"#);
    check(
        &with(r#"{"mac":true,"ips":false,"dns":null}"#),
        plugins,
        r#"a{"mac"}"#,
    );
    check(&with("null"), plugins, "a{}");
    let bad = ConfList::from_bytes(format!("{{{}}}", with(r#"{"mac":"yes"}"#)).as_bytes());
    assert!(matches!(bad, Err(ConfError::Object(_))));
}

#[test]
fn unknown_keys_stay_as_they_came() {
    let list = r#"{"cniVersion":"1.0.0","name":"n","plugins":[{"type":"a","x":{"b":1.10,"a":[]},"n":9007199254740993}],"y":1e2}"#;
    let read = ConfList::from_bytes(list.as_bytes()).unwrap();
    assert_eq!(read.to_object().unwrap().to_string(), list);
}

#[test]
fn one_plugin_s_configuration_is_a_list_of_one() {
    let conf =
        r#"{"cniVersion":"0.3.1","name":"n","type":"macvlan","capabilities":{"ips":true},"master":"eth0"}"#;
    let list = ConfList::from_plugin_bytes(conf.as_bytes()).unwrap();
    assert_eq!(
        (list.name.as_str(), list.version, list.rest.len()),
        ("n", Version::V0_3_1, 0)
    );
    assert_eq!(plugins(&list), r#"macvlan{"ips"}"#);
    assert_eq!(list.first.object.to_string(), conf);
    for (bad, expected) in [
        (r#"{"type":"a"}"#, "missing network name"),
        (
            r#"{"name":"n","plugins":[{"type":"a"}]}"#,
            "missing 'type' of plugin 0",
        ),
    ] {
        assert_eq!(
            ConfList::from_plugin_bytes(bad.as_bytes())
                .unwrap_err()
                .to_string(),
            expected
        );
    }
}

#[test]
fn each_error_has_its_code() {
    let code = |text: &str| Error::from(ConfList::from_bytes(text.as_bytes()).unwrap_err()).code;
    assert_eq!(code("x"), Code::DECODING);
    assert_eq!(code("{}"), Code::INVALID_CONFIG);
    assert_eq!(code(&format!(r#"{{"cniVersion":"x",{ONE}}}"#)), Code::DECODING);
    let plugin = PluginConf::from_object(Object::new(), 3).unwrap_err();
    assert_eq!(
        Error::from(plugin),
        Error::new(Code::INVALID_CONFIG, "missing 'type' of plugin 3")
    );
}

#[test]
fn a_list_may_stand_in_the_configuration_of_another_plugin() {
    #[derive(Debug, serde::Deserialize)]
    struct Config {
        network: ConfList,
    }
    let config = |list: &str| {
        let object = format!(r#"{{"NETWORK":{list}}}"#);
        Object::from_slice(object.as_bytes()).unwrap().parse::<Config>()
    };
    let text = r#"{"cniVersion":"1.1.0","name":"n","plugins":[{"type":"a","Mtu":1.50}]}"#;
    let list = config(text).unwrap().network;
    assert_eq!(list.to_object().unwrap().to_string(), text);
    let error = crate::spec::with_causes(&config(r#"{"name":"n","plugins":[]}"#).unwrap_err());
    assert!(error.contains("no plugins in list"), "{error}");
}
