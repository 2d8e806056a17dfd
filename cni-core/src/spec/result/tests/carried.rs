//! A result that is handed on without JSON is the one that would have been read from it.

use super::super::Success;
use super::GOLDEN;
use crate::spec::{Error, Version};

/// What a layout knows in the wrong place, spelt otherwise, twice, empty, mapped and 0.
const ODD: &str = r#"{"Ip4":{"ip":"1.1.1.1/8"},"KIND":1,"kind":2,
    "interfaces":[{"name":"a","MAC":"","mtu":0,"sandbox":"","socketPath":"/s","pciID":"p","version":"4","x":1.10},{"name":"b","mtu":9000,"Address":0}],
    "ips":[{"address":"::ffff:10.0.0.2/120","gateway":"::ffff:10.0.0.1","interface":-1,"version":"6","ip":3},{"address":"fd00::2/64","Routes":[]},{"address":"10.0.0.3/24","interface":1}],
    "routes":[{"dst":"::ffff:10.0.0.0/104","gw":"::ffff:10.0.0.9","mtu":0,"advmss":0,"priority":0,"table":0,"scope":0,"via":"x"},{"dst":"::/0","mtu":1,"advmss":2,"priority":3,"table":4,"scope":253}],
    "dns":{"nameservers":[],"domain":"","search":["s"],"options":[""],"port":53}}"#;

#[test]
fn handing_a_result_on_is_writing_and_reading_it() {
    let others = [
        ("1.1.0", ODD),
        ("0.4.0", ODD),
        ("1.0.0", "{}"),
        ("1.0.0", r#"{"interfaces":[{"name":"a"}]}"#),
    ];
    for (from, document) in GOLDEN.into_iter().chain(others) {
        let result = Success::decode(from.parse().unwrap(), document.as_bytes()).unwrap();
        for &version in Version::ALL {
            let bytes = result.encode(version);
            let read = bytes.and_then(|bytes| Success::decode(version, bytes.get().as_bytes()));
            let carried = result.clone().carried(version);
            assert_eq!(
                carried.map_err(Error::from),
                read.map_err(Error::from),
                "{from} -> {version}"
            );
        }
    }
}
