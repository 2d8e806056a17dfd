use std::os::unix::fs::PermissionsExt;
use std::time::SystemTime;

use super::*;

/// A directory that does not exist yet, below one that is removed in the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("tuning-{}-{name}", std::process::id()));
        Self(dir)
    }

    fn dir(&self) -> PathBuf {
        self.0.join("cni/tuning")
    }

    fn backup<'a>(&self, network: &'a NetName, id: &'a AttachmentId) -> Backup<'a> {
        let config = Config {
            data_dir: self.dir().display().to_string(),
            ..Config::default()
        };
        Backup::new(&config, network, id)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.dir()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn id(container: &str, ifname: &str) -> AttachmentId {
    AttachmentId::new(container.parse().unwrap(), ifname.parse().unwrap())
}

/// The namespace with this cookie.
fn netns(cookie: u64) -> NetnsId {
    NetnsId::new("boot", cookie)
}

fn mtu(mtu: u32) -> Attributes {
    Attributes {
        mtu: Some(mtu),
        ..Attributes::default()
    }
}

/// As the reference writes it, all keys that it has.
const REFERENCE: &str = r#"{
 "mac": "c2:11:22:33:44:55",
 "promisc": false,
 "mtu": 1454,
 "allmulti": true,
 "txQLen": 0
}"#;

fn all() -> Attributes {
    Attributes {
        mac: Some("c2:11:22:33:44:55".parse().unwrap()),
        promisc: Some(false),
        mtu: Some(1454),
        allmulti: Some(true),
        tx_q_len: Some(0),
    }
}

#[test]
fn the_references_files_are_read_and_ours_have_its_keys() {
    let saved = decode(REFERENCE.as_bytes());
    assert_eq!((&saved.attributes, &saved.owner), (&all(), &None));
    let ours = encode(&saved).unwrap();
    let (ours, theirs): (serde_json::Value, serde_json::Value) = (
        serde_json::from_slice(&ours).unwrap(),
        serde_json::from_str(REFERENCE).unwrap(),
    );
    assert_eq!(ours, theirs);
}

#[test]
fn a_file_that_is_cut_anywhere_holds_nothing() {
    for end in 0..REFERENCE.len() {
        assert_eq!(decode(&REFERENCE.as_bytes()[..end]), Saved::default(), "{end}");
    }
}

#[test]
fn the_first_values_are_kept_for_the_owner_alone() {
    let scratch = Scratch::new("keep");
    let (network, id) = ("blue".parse().unwrap(), id("c1", "eth0"));
    let backup = scratch.backup(&network, &id);
    assert_eq!(backup.read().unwrap(), None);
    assert!(backup.keep(&netns(1), mtu(1500)).unwrap());
    let file = scratch.dir().join("c1_eth0.json");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&scratch.dir()), mode(&file)), (0o700, 0o600));
    assert!(!backup.keep(&netns(1), all()).unwrap());
    let kept = backup.read().unwrap().unwrap();
    assert_eq!(kept.attributes, mtu(1500).or(all()));
    assert!(kept.owner.unwrap().is_in(&netns(1)));
    // Those of another namespace are left over from an earlier attachment.
    assert!(!backup.keep(&netns(2), mtu(9000)).unwrap());
    let kept = backup.read().unwrap().unwrap();
    assert_eq!(kept.attributes, mtu(9000));
    assert_eq!(scratch.names(), ["c1_eth0.json"]);
    backup.remove().unwrap();
    backup.remove().unwrap();
    assert!(scratch.names().is_empty());
}

#[test]
fn values_that_the_reference_kept_stay_and_get_an_owner() {
    let scratch = Scratch::new("legacy");
    let (network, id) = ("blue".parse().unwrap(), id("c1", "eth0"));
    let backup = scratch.backup(&network, &id);
    fs::create_dir_all(scratch.dir()).unwrap();
    fs::write(scratch.dir().join("c1_eth0.json"), REFERENCE).unwrap();
    assert!(!backup.keep(&netns(1), mtu(9000)).unwrap());
    let kept = backup.read().unwrap().unwrap();
    assert_eq!(kept.attributes, all());
    assert!(kept.owner.unwrap().is_in(&netns(1)));
}

#[test]
fn gc_removes_what_is_known_to_be_of_the_network_and_of_nobody() {
    let scratch = Scratch::new("gc");
    let (blue, red): (NetName, NetName) = ("blue".parse().unwrap(), "red".parse().unwrap());
    gc(&scratch.dir(), &blue, &BTreeSet::new()).unwrap();
    let (used, unused) = (id("c1", "eth0"), id("c2", "eth0"));
    scratch.backup(&blue, &used).keep(&netns(1), mtu(1)).unwrap();
    scratch.backup(&blue, &unused).keep(&netns(2), mtu(1)).unwrap();
    scratch
        .backup(&red, &id("c3", "net_1"))
        .keep(&netns(3), mtu(1))
        .unwrap();
    let ours = fs::read(scratch.dir().join("c2_eth0.json")).unwrap();
    for (name, content) in [
        ("c4_eth0.json", REFERENCE.as_bytes()),
        ("c5_eth0.json", b"{"),
        ("copy_eth0.json", &ours),
        ("c6_eth0.unfinished", b""),
        ("c7_eth0.unfinished", b""),
        ("notes", b""),
    ] {
        fs::write(scratch.dir().join(name), content).unwrap();
    }
    let old = SystemTime::now() - 2 * FORSAKEN;
    let file = File::options()
        .write(true)
        .open(scratch.dir().join("c7_eth0.unfinished"));
    file.unwrap().set_modified(old).unwrap();
    gc(&scratch.dir(), &blue, &BTreeSet::from([(&used).into()])).unwrap();
    let left = [
        "c1_eth0.json",
        "c3_net_1.json",
        "c4_eth0.json",
        "c5_eth0.json",
        "c6_eth0.unfinished",
        "copy_eth0.json",
        "notes",
    ];
    assert_eq!(scratch.names(), left);
}

#[test]
fn a_directory_that_cannot_be_is_an_error() {
    let scratch = Scratch::new("no-directory");
    fs::create_dir_all(&scratch.0).unwrap();
    fs::write(scratch.0.join("cni"), "").unwrap();
    let (network, id) = ("blue".parse().unwrap(), id("c1", "eth0"));
    let error = Error::from(scratch.backup(&network, &id).keep(&netns(1), mtu(1)).unwrap_err());
    assert_eq!(error.code.0, 156, "{error}");
}
