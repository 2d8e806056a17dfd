use std::fs;
use std::os::unix::net::UnixListener;
use std::path::Path;

use cni_core::spec::{Error, NetnsPath};
use cni_net::netns::{Anonymous, within};
use cni_net::{At, Kernel, Links, Namespaces, NetError, Sysctl};

use crate::fixture::{Node, Place};

#[test]
fn what_is_no_namespace_is_gone() {
    let kernel = Kernel::new();
    let file = std::env::temp_dir().join(format!("netns-{}", std::process::id()));
    fs::write(&file, "").unwrap();
    let socket = file.with_extension("socket");
    let _listens = UnixListener::bind(&socket).unwrap();
    let absent = Path::new("/run/netns/there-is-no-such-namespace");
    for path in [
        absent,
        &file,
        &socket,
        Path::new("/etc"),
        Path::new("/etc/passwd/x"),
        Path::new("/proc/4194305/ns/net"),
        Path::new("/proc/self/status"),
    ] {
        let error = kernel.open(&NetnsPath::new(path)).unwrap_err();
        assert!(
            matches!(error, NetError::NetnsGone { .. }) && error.is_absent(),
            "{error:?}"
        );
    }
    let error = Error::from(kernel.open(&NetnsPath::new(&file)).unwrap_err());
    fs::remove_file(&file).unwrap();
    fs::remove_file(&socket).unwrap();
    assert!(
        error.code.0 == 8 && error.msg.contains("did not propagate"),
        "{error:?}"
    );
}

#[test]
fn a_namespace_of_another_kind_is_refused() {
    let error = Kernel::new()
        .open(&NetnsPath::new("/proc/self/ns/uts"))
        .unwrap_err();
    assert!(
        matches!(error, NetError::Netns { .. }) && !error.is_absent(),
        "{error:?}"
    );
}

#[test]
fn identities_tell_namespaces_apart_and_last() {
    let (one, two) = (Anonymous::new().unwrap(), Anonymous::new().unwrap());
    let kernel = Kernel::new();
    let id = |held: &Anonymous| kernel.open(held.path()).unwrap().id().clone();
    assert_eq!(id(&one), id(&one));
    assert_ne!(id(&one), id(&two));
    assert_ne!(id(&one), kernel.host_id().unwrap());
    assert_eq!(id(&one).boot, kernel.host_id().unwrap().boot);
}

#[test]
fn the_host_is_where_the_kernel_was_made() {
    let node = Node::new();
    assert_eq!(node.kernel.host_id().unwrap(), *node.place.netns.id());
}

#[test]
fn a_thread_that_goes_elsewhere_takes_nobody_along() {
    let here = fs::read_link("/proc/thread-self/ns/net").unwrap();
    let place = Place::new();
    let there = within(&place.netns, || {
        fs::read_link("/proc/thread-self/ns/net").unwrap()
    })
    .unwrap();
    assert_ne!(here, there);
    let panic = std::panic::catch_unwind(|| within(&place.netns, || panic!("inside")));
    assert!(panic.is_err());
    assert_eq!(fs::read_link("/proc/thread-self/ns/net").unwrap(), here);
}

#[test]
fn sysctls_are_those_of_the_namespace() {
    let (node, pod) = (Node::new(), Place::new());
    let key = "ipv4/ip_forward";
    let value = |at| node.kernel.sysctl(at, key).unwrap();
    let set = |at, value: &str| {
        node.kernel
            .set_sysctls(at, &[(key.to_owned(), value.to_owned())])
            .unwrap()
    };
    let mine = Kernel::new().sysctl(At::Host, key).unwrap();
    for on in ["1", "0"] {
        set(At::Host, on);
        set(At::Netns(&pod.netns), if on == "1" { "0" } else { "1" });
        assert_eq!(value(At::Host), on);
        assert_ne!(value(At::Netns(&pod.netns)), on);
        assert_eq!(Kernel::new().sysctl(At::Host, key).unwrap(), mine);
    }
    let absent = node
        .kernel
        .sysctl(At::Host, "ipv4/conf/absent/rp_filter")
        .unwrap_err();
    assert!(absent.is_absent(), "{absent:?}");
    let outside = node.kernel.sysctl(At::Host, "../kernel/hostname").unwrap_err();
    assert!(matches!(outside, NetError::Value { .. }), "{outside:?}");
}

#[test]
fn a_namespace_goes_with_its_last_handle() {
    let (node, pod) = (Node::new(), Place::new());
    node.veth(&pod, "eth0", "veth1");
    node.kernel.links(At::Netns(&pod.netns)).unwrap();
    drop(pod);
    // The kernel takes a namespace apart in its own time.
    let gone = (0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        node.names().is_empty()
    });
    assert!(gone, "{:?}", node.names());
}

/// Runs the test again as a process of its own, where no other test opens files.
#[test]
fn no_descriptor_is_left_open() {
    const INSIDE: &str = "COUNT_DESCRIPTORS";
    let inside = std::env::args().any(|argument| argument == INSIDE);
    if !inside {
        let mut alone = std::process::Command::new(std::env::current_exe().unwrap());
        let name = "netns::no_descriptor_is_left_open";
        let ended = alone
            .args(["--exact", name, "--skip", INSIDE, "--test-threads=1"])
            .output()
            .unwrap();
        assert!(
            ended.status.success(),
            "{}",
            String::from_utf8_lossy(&ended.stdout)
        );
        return;
    }
    let work = || {
        let (node, pod) = (Node::new(), Place::new());
        node.veth(&pod, "eth0", "veth1");
        node.kernel.set_sysctls(At::Netns(&pod.netns), &[]).unwrap();
        node.kernel.open(&NetnsPath::new("/etc/passwd")).unwrap_err();
        node.kernel.del_pod_links(&pod.netns).unwrap();
    };
    let open = || fs::read_dir("/proc/self/fd").unwrap().count();
    work();
    let before = open();
    (0..20).for_each(|_| work());
    assert_eq!(open(), before);
}
