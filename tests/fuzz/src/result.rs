//! Results of every version, and what is published of them.

use cni_core::spec::{Code, Success, Version};
use plexus::npwg::NetworkStatus;
use plexus::npwg::status::{self, About};

use crate::refused;

pub(crate) const SEEDS: &[&str] = &[
    "null",
    r#"{"cniVersion":"0.4.0","interfaces":[{"name":"a","sandbox":"/n","mtu":5,"x":[]}],"ips":[{"version":"6","interface":0,"address":"::ffff:10.0.0.2/120","gateway":"::ffff:10.0.0.1"}],"routes":[{"dst":"::/0","table":5,"scope":0}],"dns":{"x":""},"y":1.50}"#,
    r#"{"cniVersion":"0.2.0","ip4":{"ip":"10.0.0.2/24","x":1,"routes":[{"dst":"0.0.0.0/0","mtu":1400,"x":2}]},"ip6":{"ip":"fd00::2/64","gateway":"fd00::1"},"x":3}"#,
];

/// One version of each layout.
const LAYOUTS: [Version; 3] = [Version::V0_2_0, Version::V0_4_0, Version::V1_1_0];

/// A result, as a runtime and as a plugin reads it, written in every version and as network-status.
pub(crate) fn result(data: &[u8]) {
    for version in LAYOUTS {
        let codes = [Code::DECODING, Code::INCOMPATIBLE_VERSION];
        let strict = Success::decode_strict(version, data);
        match Success::decode(version, data) {
            Ok(result) => {
                if let Ok(strict) = &strict {
                    assert_eq!(*strict, result);
                }
                Version::ALL.iter().for_each(|version| written(&result, *version));
                published(&result);
            }
            Err(error) => {
                assert!(strict.is_err(), "what a runtime refuses, a plugin reads");
                refused(error, &codes);
            }
        }
        if let Err(error) = strict {
            refused(error, &codes);
        }
    }
}

/// That what was written is read again, and then written alike.
fn written(result: &Success, version: Version) {
    match result.encode(version) {
        Ok(text) => {
            let again = Success::decode_strict(version, text.get().as_bytes()).unwrap();
            assert_eq!(again.encode(version).unwrap().get(), text.get());
        }
        Err(error) => {
            assert!(version < Version::V0_3_0, "{version}: {error}");
            refused(error, &[Code::INCOMPATIBLE_VERSION]);
        }
    }
}

/// That there is an entry for each interface in the pod, or one, that one of them is the default, and that
/// whoever reads the annotation gets what was meant.
fn published(result: &Success) {
    let about = About {
        network: "default/n",
        is_default: true,
        default_route: Some(&[]),
    };
    let entries = status::entries(about, result);
    let in_pod = result.interfaces.iter().filter(|i| !i.sandbox.is_empty()).count();
    assert_eq!(entries.len(), in_pod.max(1));
    assert_eq!(entries.iter().filter(|entry| entry.default).count(), 1);
    let addresses: usize = entries.iter().map(|entry| entry.ips.len()).sum();
    assert!(addresses <= result.ips.len());
    let read: Vec<NetworkStatus> = serde_json::from_str(&status::annotation(&entries)).unwrap();
    assert_eq!(status::annotation(&read), status::annotation(&entries));
}
