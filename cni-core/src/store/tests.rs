use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::Value;

use super::Store;
use crate::chain::{KeptAttachment, Results};
use crate::spec::{AttachmentId, ConfList, Interface, NetnsPath, Object, Success};

const GOLDEN: &str = include_str!("golden/cniCacheV1.json");
const LIST: &str = r#"{"cniVersion":"0.4.0","name":"dbnet","plugins":[{"type":"bridge"}]}"#;
const CONTAINER: &str = "cnitool-77383ca0a0715733ca6f";

/// A store in a directory that goes away with it.
struct Scene {
    dir: PathBuf,
    store: Store,
    list: ConfList,
}

impl Scene {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let unique = format!(
            "cni-store-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let dir = std::env::temp_dir().join(unique);
        Self {
            store: Store::new(&dir),
            dir,
            list: ConfList::from_bytes(LIST.as_bytes()).unwrap(),
        }
    }

    fn put(&self, container: &str) -> KeptAttachment {
        let kept = kept(container);
        self.store.put(&self.list, &kept).unwrap();
        kept
    }

    fn get(&self, container: &str) -> Option<KeptAttachment> {
        self.store.get(&self.list, &id(container)).unwrap()
    }

    fn file(&self, container: &str) -> PathBuf {
        self.dir.join("results").join(format!("dbnet-{container}-eth0"))
    }

    fn overwrite(&self, container: &str, content: &[u8]) {
        fs::create_dir_all(self.dir.join("results")).unwrap();
        fs::write(self.file(container), content).unwrap();
    }

    fn listed(&self) -> Vec<String> {
        let kept = self.store.list(&self.list).unwrap();
        kept.iter().map(|kept| kept.id.container.to_string()).collect()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn id(container: &str) -> AttachmentId {
    AttachmentId::new(container.parse().unwrap(), "eth0".parse().unwrap())
}

/// What the golden file says.
fn kept(container: &str) -> KeptAttachment {
    let mut interface = Interface::new("eth0");
    interface.sandbox = "/run/netns/blue".to_owned();
    let mut ip = crate::spec::IpConfig::new("10.1.0.5/16".parse().unwrap());
    ip.interface = Some(0);
    let mut result = Success::new();
    result.interfaces.push(interface);
    result.ips.push(ip);
    let capabilities = br#"{"portMappings":[{ "containerPort": 80, "hostPort": 8080, "protocol": "tcp" }]}"#;
    KeptAttachment {
        id: id(container),
        netns: Some(NetnsPath::new("/run/netns/blue")),
        args: "IgnoreUnknown=1;K8S_POD_NAME=web".parse().unwrap(),
        capability_args: Object::from_slice(capabilities).unwrap(),
        result: Some(result),
    }
}

#[test]
fn the_file_is_the_reference_s() {
    let scene = Scene::new();
    scene.put(CONTAINER);
    let written: Value = serde_json::from_slice(&fs::read(scene.file(CONTAINER)).unwrap()).unwrap();
    assert_eq!(written, serde_json::from_str::<Value>(GOLDEN).unwrap());
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(scene.file(CONTAINER)), 0o600);
    assert_eq!(mode(scene.dir.join("results")), 0o700);
    assert_eq!(fs::read_dir(scene.dir.join("results.tmp")).unwrap().count(), 0);
}

#[test]
fn the_reference_s_file_is_read() {
    let scene = Scene::new();
    scene.overwrite(CONTAINER, GOLDEN.as_bytes());
    assert_eq!(scene.get(CONTAINER), Some(kept(CONTAINER)));
    assert_eq!(scene.listed(), [CONTAINER]);
    let config = scene.store.config(&scene.list.name, &id(CONTAINER)).unwrap();
    assert_eq!(config.as_deref(), Some(LIST.as_bytes()));
}

#[test]
fn put_replaces_and_remove_twice_succeeds() {
    let scene = Scene::new();
    assert_eq!(scene.get("c"), None);
    let mut kept = scene.put("c");
    kept.netns = None;
    kept.args = "".parse().unwrap();
    kept.capability_args = Object::new();
    scene.store.put(&scene.list, &kept).unwrap();
    assert_eq!(scene.get("c"), Some(kept));
    for _ in 0..2 {
        scene.store.remove(&scene.list, &id("c")).unwrap();
        assert_eq!(scene.get("c"), None);
        assert!(!scene.file("c").exists());
    }
}

#[test]
fn a_file_cut_anywhere_is_absent_and_can_be_removed_and_replaced() {
    let scene = Scene::new();
    let whole = GOLDEN.trim_end().as_bytes();
    for end in 0..whole.len() {
        scene.overwrite(CONTAINER, &whole[..end]);
        assert_eq!(scene.get(CONTAINER), None, "cut at {end}");
        assert_eq!(scene.listed(), [""; 0], "cut at {end}");
    }
    scene.put(CONTAINER);
    assert_eq!(scene.listed(), [CONTAINER]);
    scene.overwrite(CONTAINER, b"");
    scene.store.remove(&scene.list, &id(CONTAINER)).unwrap();
    assert!(!scene.file(CONTAINER).exists());
}

#[test]
fn what_is_unreadable_in_a_whole_file_takes_nothing_else_with_it() {
    let scene = Scene::new();
    scene.overwrite(
        CONTAINER,
        GOLDEN.replace("10.1.0.5/16", "?").replace("eyJ", "?").as_bytes(),
    );
    let expected = KeptAttachment {
        result: None,
        ..kept(CONTAINER)
    };
    assert_eq!(scene.get(CONTAINER), Some(expected));
    assert_eq!(
        scene.store.config(&scene.list.name, &id(CONTAINER)).unwrap(),
        None
    );
}

#[test]
fn what_is_no_record_by_its_kind_or_size_is_absent_and_keeps_nobody_waiting() {
    let scene = Scene::new();
    scene.put("good");
    let path = scene.file(CONTAINER);
    let pipe = || mknodat(CWD, &path, FileType::Fifo, Mode::RUSR, 0).unwrap();
    let device = || symlink("/dev/zero", &path).unwrap();
    let socket = || drop(UnixListener::bind(&path).unwrap());
    let circle = || symlink(&path, &path).unwrap();
    let large = || File::create(&path).unwrap().set_len(1 << 40).unwrap();
    for place in [&pipe as &dyn Fn(), &device, &socket, &circle, &large] {
        place();
        assert_eq!(scene.get(CONTAINER), None);
        assert_eq!(scene.listed(), ["good"]);
        scene.store.remove(&scene.list, &id(CONTAINER)).unwrap();
        assert!(path.symlink_metadata().is_err());
    }
    fs::create_dir(&path).unwrap();
    assert_eq!(scene.get(CONTAINER), None);
    scene.store.remove(&scene.list, &id(CONTAINER)).unwrap();
}

#[test]
fn what_could_not_be_read_again_is_not_written() {
    let scene = Scene::new();
    let mut kept = kept("c");
    kept.args.set("A", "x".repeat(16 << 20));
    let error = scene.store.put(&scene.list, &kept).unwrap_err();
    assert!(
        error.to_string().starts_with("encode result cache entry"),
        "{error}"
    );
    assert!(!scene.file("c").exists());
}

#[test]
fn a_bare_result_of_old_is_read_and_not_listed() {
    let scene = Scene::new();
    scene.overwrite("c", br#"{"interfaces":[{"name":"eth0"}],"dns":{}}"#);
    let read = scene.get("c").unwrap();
    assert_eq!(read.result.unwrap().interfaces, [Interface::new("eth0")]);
    assert_eq!(read.netns, None);
    assert_eq!(scene.listed(), [""; 0]);
}

#[test]
fn a_file_of_another_kind_is_absent() {
    let scene = Scene::new();
    scene.overwrite(CONTAINER, GOLDEN.replace("cniCacheV1", "cniCacheV2").as_bytes());
    assert_eq!(scene.get(CONTAINER), None);
}

#[test]
fn the_list_holds_this_network_s_attachments_in_their_own_places() {
    let scene = Scene::new();
    scene.put("b");
    scene.put("a");
    let longer = ConfList::from_bytes(LIST.replace("dbnet", "dbnet-b").as_bytes()).unwrap();
    scene.store.put(&longer, &kept("a")).unwrap();
    fs::copy(scene.file("a"), scene.file("copy")).unwrap();
    assert_eq!(scene.listed(), ["a", "b"]);
}

#[test]
fn attachments_are_found_by_container_in_all_networks() {
    let scene = Scene::new();
    assert_eq!(scene.store.attachments(None).unwrap(), []);
    let other = ConfList::from_bytes(LIST.replace("dbnet", "other-c").as_bytes()).unwrap();
    scene.put("c");
    scene.put("d");
    scene.store.put(&other, &kept("c")).unwrap();
    scene.store.put(&other, &kept("d")).unwrap();
    scene.overwrite("c-broken", b"");
    let found = |container: Option<&str>| -> Vec<String> {
        let container = container.map(|container| container.parse().unwrap());
        let found = scene.store.attachments(container.as_ref()).unwrap();
        found
            .iter()
            .map(|(network, kept)| format!("{network} {}", kept.id.container))
            .collect()
    };
    assert_eq!(found(Some("c")), ["dbnet c", "other-c c"]);
    assert_eq!(found(None), ["dbnet c", "dbnet d", "other-c c", "other-c d"]);
    assert_eq!(found(Some("x")), [""; 0]);
    assert_eq!(scene.store.attachments(None).unwrap()[0].1, kept("c"));
}

#[test]
fn two_attachments_with_one_file_name_are_not_mixed_up() {
    let scene = Scene::new();
    let longer = ConfList::from_bytes(LIST.replace("dbnet", "dbnet-b").as_bytes()).unwrap();
    scene.store.put(&longer, &kept("c")).unwrap();
    assert_eq!(scene.get("b-c"), None);
    scene.store.remove(&scene.list, &id("b-c")).unwrap();
    assert!(scene.store.get(&longer, &id("c")).unwrap().is_some());
}

#[test]
fn a_name_too_long_for_a_file_is_refused_at_put_and_absent_after() {
    let scene = Scene::new();
    let long = "c".repeat(200);
    scene.put("a");
    let list = ConfList::from_bytes(LIST.replace("dbnet", &"n".repeat(200)).as_bytes()).unwrap();
    let error = scene.store.put(&list, &kept(&long)).unwrap_err();
    assert!(error.to_string().starts_with("write \""), "{error}");
    assert_eq!(scene.store.get(&list, &id(&long)).unwrap(), None);
    scene.store.remove(&list, &id(&long)).unwrap();
}

#[test]
fn what_cannot_be_kept_is_an_error() {
    let scene = Scene::new();
    fs::write(&scene.dir, "").unwrap();
    let error = scene.store.put(&scene.list, &kept("c")).unwrap_err();
    assert!(error.to_string().starts_with("create directory \""), "{error}");
    fs::remove_file(&scene.dir).unwrap();
    let old = ConfList::from_bytes(LIST.replace("0.4.0", "0.2.0").as_bytes()).unwrap();
    let mut without_address = kept("c");
    without_address.result = Some(Success::new());
    without_address
        .result
        .as_mut()
        .unwrap()
        .interfaces
        .push(Interface::new("eth0"));
    let error = scene.store.put(&old, &without_address).unwrap_err();
    assert_eq!(error.to_string(), "encode result cache entry of eth0 of c");
}
