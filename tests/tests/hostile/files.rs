//! Files that are damaged, foreign, in the way or not there.

use std::fs;
use std::process::Command;

use plexus_tests::pod::Pod;
use plexus_tests::program;

use crate::node::{NETWORKS, Node};

#[test]
fn a_journal_cut_or_damaged_anywhere_is_no_obstacle() {
    let node = Node::new();
    let pod = Pod::new();
    let journal = node.installed.path("state/attachments/c1/eth0");
    node.done(node.attach("c1", &pod, NETWORKS));
    let whole = fs::read(&journal).unwrap();
    node.done(node.detach("c1"));
    for at in (0..whole.len()).step_by(23) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x20;
        for content in [&whole[..at], &damaged] {
            fs::create_dir_all(journal.parent().unwrap()).unwrap();
            fs::write(&journal, content).unwrap();
            let listed = node.output(node.installed.command(&["list"]));
            assert!(listed.status.success(), "at {at}: {listed:?}");
            node.done(node.detach("c1"));
        }
    }
    node.assert_clean(&[&pod]);
}

#[test]
fn a_journal_of_a_newer_version_is_refused_by_name_and_kept() {
    let node = Node::new();
    let pod = Pod::new();
    let journal = node.installed.path("state/attachments/c1/eth0");
    fs::create_dir_all(journal.parent().unwrap()).unwrap();
    // A record as any version writes it: length, checksum, JSON with the number of the format.
    fs::write(
        &journal,
        "0000001f f8ac0f55 {\"record\":\"future\",\"journal\":2}\n",
    )
    .unwrap();
    for command in [node.detach("c1"), node.attach("c1", &pod, NETWORKS)] {
        let text = node.refused(command);
        assert!(
            text.contains("has version 2") && text.contains("(code 181)"),
            "{text}"
        );
    }
    assert!(journal.exists());
    fs::remove_dir_all(journal.parent().unwrap()).unwrap();
    node.assert_clean(&[&pod]);
}

#[test]
fn what_else_lies_in_the_state_directory_is_passed_over_and_kept() {
    let node = Node::new();
    let pod = Pod::new();
    node.done(node.attach("c1", &pod, NETWORKS));
    let attachments = node.installed.path("state/attachments");
    fs::write(attachments.join("README"), "not ours").unwrap();
    fs::create_dir_all(attachments.join("c1/directory")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", attachments.join("c1/link0")).unwrap();
    let listed = node.output(node.installed.command(&["list"]));
    assert!(listed.status.success(), "{listed:?}");
    node.done(node.detach("c1"));
    assert!(attachments.join("README").exists() && attachments.join("c1/link0").is_symlink());
    fs::remove_dir_all(attachments).unwrap();
    node.assert_clean(&[&pod]);
}

fn mount(arguments: &[&str]) {
    assert!(
        Command::new("mount").args(arguments).status().unwrap().success(),
        "{arguments:?}"
    );
}

#[test]
fn on_a_full_disk_attaching_fails_without_a_trace_and_detaching_succeeds() {
    let node = Node::new();
    let pod = Pod::new();
    let state = node.installed.path("state");
    let at = state.display().to_string();
    fs::create_dir(&state).unwrap();
    mount(&["-t", "tmpfs", "-o", "size=16k", "tmpfs", &at]);
    // From no room at all to room for all records.
    for room in 0..4 {
        fs::write(state.join("filler"), vec![0; (4 - room) * 4096]).unwrap();
        let output = node.output(node.attach("c1", &pod, NETWORKS));
        if output.status.success() {
            fs::write(state.join("rest"), vec![0; 4096 * 4]).unwrap_err();
            node.done(node.detach("c1"));
        } else {
            let text = String::from_utf8_lossy(&output.stderr);
            assert!(
                text.contains("No space left on device") && text.contains("(code 180)"),
                "{text}"
            );
        }
        node.assert_clean(&[&pod]);
        drop(fs::remove_file(state.join("rest")));
    }
    assert!(Command::new("umount").arg(&at).status().unwrap().success());
}

#[test]
fn on_a_read_only_disk_check_still_looks_and_the_others_say_so() {
    let node = Node::new();
    let pod = Pod::new();
    node.done(node.attach("c1", &pod, NETWORKS));
    let at = node.installed.path("state").display().to_string();
    mount(&["--bind", &at, &at]);
    mount(&["-o", "remount,ro,bind", &at]);
    node.done(node.installed.command(&["check", "--container-id", "c1"]));
    for command in [node.detach("c1"), node.attach("c2", &pod, NETWORKS)] {
        let text = node.refused(command);
        assert!(
            text.contains("Read-only file system") && text.contains("(code 180)"),
            "{text}"
        );
    }
    assert_eq!(pod.links().len(), 5, "nothing was changed");
    assert!(Command::new("umount").arg(&at).status().unwrap().success());
    node.done(node.detach("c1"));
    node.assert_clean(&[&pod]);
}

#[test]
fn without_var_lib_the_state_directory_is_made() {
    let node = Node::new();
    let pod = Pod::new();
    let nads = node.installed.path("nads").display().to_string();
    let script = "set -e; mount -t tmpfs tmpfs /var
        \"$0\" attach --container-id c1 --netns \"$1\" --nads \"$2\" --networks lan
        \"$0\" list; \"$0\" detach --container-id c1; stat -c %a /var/lib /var/lib/plexus/attachments";
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "--", "sh", "-c", script])
        .arg(program("plexus"))
        .args([pod.path(), &nads]);
    let output = node.output(command);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.ends_with("755\n700\n"),
        "{output:?}"
    );
    node.assert_clean(&[&pod]);
}

#[test]
fn an_unprivileged_user_is_told_what_is_not_allowed() {
    let node = Node::new();
    let pod = Pod::new();
    node.done(node.attach("c1", &pod, NETWORKS));
    // Everything on the way there may be looked through, but for the journals themselves.
    let user = |command: &Command| {
        let mut as_user = Command::new("setpriv");
        as_user.args([
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            "--bounding-set=-all",
        ]);
        as_user.arg(command.get_program()).args(command.get_args());
        as_user
    };
    for command in [
        node.attach("c2", &pod, NETWORKS),
        node.detach("c1"),
        node.installed.command(&["list"]),
    ] {
        let text = node.refused(user(&command));
        assert!(text.contains("ermi"), "permitted, permission: {text}");
    }
    node.done(node.detach("c1"));
    node.assert_clean(&[&pod]);
}
