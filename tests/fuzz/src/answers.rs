//! What a plugin that is an executable answers besides results: errors, and versions.

use cni_core::spec::{Code, Error, Object, Version, VersionInfo};
use plexus::npwg::NetworkStatus;
use plexus::npwg::status;

use crate::refused;

pub(crate) const SEEDS: &[&str] = &[
    r#"{"cniVersion":"1.1.0","code":11,"msg":"try again","details":"d"}"#,
    r#"{"CODE":999,"Msg":"é\u0000"}"#,
    r#"{"cniVersion":"1.0.0","supportedVersions":["0.1.0","1.0.0","9.9.9","1.0","x"]}"#,
    r#"[{"name":"default/a","interface":"net1","ips":["10.1.0.2","fd00::2"],"mac":"02:00:00:00:00:01","mtu":1400,"default":true,"dns":{"nameservers":["1.1.1.1"]},"gateway":["10.1.0.1"],"default-route":[]}]"#,
];

/// An error object, an answer to VERSION, and a network-status annotation that another program wrote.
pub(crate) fn answers(data: &[u8]) {
    if let Ok(error) = Object::from_slice(data).and_then(|object| object.parse::<Error>()) {
        let answer = error.answer(Version::V1_1_0);
        let again = Object::from_slice(answer.as_bytes()).and_then(|object| object.parse::<Error>());
        assert_eq!(again.unwrap(), error);
        assert_eq!(error.shortened().code, error.code);
    }
    match VersionInfo::decode(data) {
        Ok(info) => {
            let answer = serde_json::to_vec(&info).unwrap();
            assert_eq!(VersionInfo::decode(&answer).unwrap(), info);
        }
        Err(error) => refused(Error::from_source(Code::DECODING, &error), &[Code::DECODING]),
    }
    if let Ok(entries) = serde_json::from_slice::<Vec<NetworkStatus>>(data) {
        let text = status::annotation(&entries);
        let again: Vec<NetworkStatus> = serde_json::from_str(&text).unwrap();
        assert_eq!(again, entries);
    }
}
