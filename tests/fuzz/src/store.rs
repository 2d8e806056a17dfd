//! The result cache, whose files libcni writes as well.

use cni_core::chain::Results;
use cni_core::spec::{AttachmentId, ConfList};
use cni_core::store::Store;

use crate::scratch::Scratch;

/// A file of the cache: what it says is kept when it is written again, and it never stops a DEL.
pub(crate) fn cache(data: &[u8]) {
    let scratch = Scratch::new();
    let store = Store::new(scratch.path(""));
    let list = br#"{"cniVersion":"1.1.0","name":"dbnet","plugins":[{"type":"t"}]}"#;
    let list = ConfList::from_bytes(list).unwrap();
    let container = "cnitool-77383ca0a0715733ca6f";
    let id = AttachmentId::new(container.parse().unwrap(), "eth0".parse().unwrap());
    let file = scratch.file(&format!("results/dbnet-{container}-eth0"), data);
    drop(store.config(&list.name, &id).unwrap());
    let listed = store.list(&list).unwrap();
    assert!(listed.iter().all(|kept| kept.id == id));
    if let Some(kept) = store.get(&list, &id).unwrap() {
        store.put(&list, &kept).unwrap();
        let again = store.get(&list, &id).unwrap().unwrap();
        assert_eq!((&again.id, &again.netns), (&kept.id, &kept.netns));
        assert_eq!(
            (&again.args, &again.capability_args),
            (&kept.args, &kept.capability_args)
        );
        assert_eq!(store.list(&list).unwrap(), [again]);
        assert!(store.config(&list.name, &id).unwrap().is_some());
    }
    store.remove(&list, &id).unwrap();
    if store.get(&list, &id).unwrap().is_some() {
        panic!("{} is there after it was removed", file.display());
    }
}
