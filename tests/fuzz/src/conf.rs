//! Configurations: network lists, and those of Plexus itself.

use cni_core::spec::{Code, ConfList, Object};
use plexus::config::{ClusterNetwork, Entry, Policy};

use crate::refused;

pub(crate) const SEEDS: &[&str] = &[
    r#"{"cniVersion":"1.0.0","cniVersions":["0.4.0","1.1.0"],"name":"n","disableCheck":"TRUE","disableGC":true,"loadOnlyInlinedPlugins":false,"plugins":[{"type":"bridge","capabilities":{"ips":true},"ipam":{"type":"host-local"},"dns":{"nameservers":["1.1.1.1"]},"prevResult":{},"x":1e2}]}"#,
    r#"{"name":"n","type":"t","TYPE":"u","cniVersion":"0.3.1","runtimeConfig":{"mac":""}}"#,
    r#"{"cniVersion":"1.0.0","name":"n","type":"plexus","mode":"standalone","nads":"/a","pods":"/b","networks":"a","stateDir":"/c","delegates":[{"name":"d","type":"bridge"}],"capabilities":{"ips":true}}"#,
    r#"{"name":"n","type":"plexus","mode":"daemon","socket":"/s","cni.dev/x":1}"#,
    r#"{"external":["bridge"],"capabilityCheck":"warn","namespaceIsolation":true,"globalNamespaces":["a"],"confDir":"/c","deadlines":{"plugin":"5s","add":"2m","del":"900ms","status":"1ms"}}"#,
];

/// A network list, and the configuration of one plugin.
pub(crate) fn conflist(data: &[u8]) {
    for read in [ConfList::from_bytes, ConfList::from_plugin_bytes] {
        match read(data) {
            Ok(list) => means_the_same_again(&list),
            Err(error) => refused(error, &[Code::DECODING, Code::INVALID_CONFIG]),
        }
    }
}

#[track_caller]
fn means_the_same_again(list: &ConfList) {
    let object = list.to_object().unwrap();
    let again = ConfList::from_object(object.clone()).unwrap();
    assert_eq!(&again, list);
    assert_eq!(again.to_object().unwrap(), object);
}

/// `/etc/plexus/config.json` and the entry in the runtime's conflist.
pub(crate) fn configuration(data: &[u8]) {
    let codes = [Code::DECODING, Code::INVALID_CONFIG, Code::UNSUPPORTED_FIELD];
    match Policy::parse(data) {
        Ok(policy) => {
            let deadlines = [
                policy.deadlines.plugin,
                policy.deadlines.add,
                policy.deadlines.del,
            ];
            assert!(deadlines.iter().all(|d| !d.is_zero() && d.as_secs() <= 3600));
        }
        Err(error) => refused(error, &codes),
    }
    let Ok(object) = Object::from_slice(data) else {
        return;
    };
    match Entry::parse(&object) {
        Ok(Entry::Daemon(_)) => {}
        Ok(Entry::Standalone(entry)) => match entry.cluster_network {
            ClusterNetwork::Delegates(lists) => {
                assert!(!lists.is_empty());
                lists.iter().for_each(means_the_same_again);
            }
            ClusterNetwork::Named(name) => assert!(!name.is_empty()),
        },
        Err(error) => refused(error, &codes),
    }
}
