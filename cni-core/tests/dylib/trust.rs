//! Which files are loaded.

use std::fs;
use std::os::unix::fs::{chown, symlink};

use cni_core::invoke::{Dylib, Verb};
use cni_core::spec::Code;

use crate::fails;
use crate::library::Library;
use crate::made::set_mode;

#[track_caller]
fn is_not_loaded(library: &Library, code: Code, why: &str) {
    let file = library.file();
    let text = format!("load plugin \"fake\" from {file:?}; {why}");
    fails(library.run(Verb::Del), code, &text);
}

#[test]
fn nobody_else_can_write_what_is_loaded() {
    let library = Library::new("");
    let (file, dir) = (library.file(), library.dir.0.clone());
    for (path, writable, harmless) in [
        (&file, 0o666, 0o644),
        (&file, 0o664, 0o644),
        (&dir, 0o1777, 0o755),
        (&dir, 0o775, 0o755),
    ] {
        set_mode(path, writable);
        let why = format!("{path:?} can be written by others than its owner");
        is_not_loaded(&library, Code::INVALID_CONFIG, &why);
        set_mode(path, harmless);
    }
    library.run(Verb::Del).unwrap();
}

#[test]
fn nobody_else_can_exchange_the_directory() {
    let mut library = Library::new("");
    let above = library.dir.0.clone();
    let inner = above.join("bin");
    fs::create_dir(&inner).unwrap();
    fs::rename(library.file(), inner.join("fake.so")).unwrap();
    library.dir.0 = inner;
    set_mode(&above, 0o777);
    is_not_loaded(
        &library,
        Code::INVALID_CONFIG,
        &format!("{above:?} can be written by others"),
    );
    // As in /tmp: nobody removes what is another's.
    set_mode(&above, 0o1777);
    library.run(Verb::Del).unwrap();
    library.dir.0 = above;
}

#[test]
fn root_owns_what_is_loaded_unless_another_is_named() {
    let mut library = Library::new("");
    library.dylib = Dylib::new();
    // Where it cannot be given away, it is not root's already.
    drop(chown(library.file(), Some(4711), None));
    is_not_loaded(&library, Code::INVALID_CONFIG, "");
    let error = library.run(Verb::Del).unwrap_err();
    assert!(
        error.details.contains(" belongs to user ") && error.details.ends_with(", not to user 0"),
        "{error}"
    );
}

#[test]
fn a_link_is_followed_to_the_directory_and_not_to_the_file() {
    let mut library = Library::new("");
    let (file, dir) = (library.file(), library.dir.0.clone());
    fs::rename(&file, dir.join("real.so")).unwrap();
    symlink("real.so", &file).unwrap();
    is_not_loaded(
        &library,
        Code::INVALID_CONFIG,
        &format!("{file:?} is no regular file"),
    );
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    is_not_loaded(
        &library,
        Code::INVALID_CONFIG,
        &format!("{file:?} is no regular file"),
    );
    fs::remove_dir(&file).unwrap();
    fs::rename(dir.join("real.so"), &file).unwrap();

    let link = dir.join("link");
    symlink(".", &link).unwrap();
    library.dir.0 = link;
    library.run(Verb::Del).unwrap();
    library.dir.0 = dir;
}

#[test]
fn what_is_not_there_is_looked_for_by_its_name() {
    let library = Library::new("");
    fs::remove_file(library.file()).unwrap();
    let text = format!(
        "failed to find plugin \"fake.so\" in path [/nowhere/bin {}]",
        library.dir.0.display()
    );
    fails(library.run(Verb::Del), Code::INVALID_CONFIG, &text);
}

#[test]
fn a_library_of_another_interface_is_refused_by_name() {
    let library = Library::with_flags("", &["-DVERSION=2"]);
    let why = "it speaks version 2 of the interface, this program version 1";
    is_not_loaded(&library, Code::INVALID_CONFIG, why);
    // It is loaded all the same, so that another one can only come with another process.
    library.compile("", &[]);
    is_not_loaded(&library, Code::INVALID_CONFIG, why);
    for function in ["abi_version", "call", "free"] {
        let hidden = format!("-Dcni_plugin_{function}=hidden");
        let library = Library::with_flags("", &[&hidden]);
        let why = format!("it has no function \"cni_plugin_{function}\"");
        is_not_loaded(&library, Code::INVALID_CONFIG, &why);
    }
}

#[test]
fn what_is_no_library_can_be_replaced() {
    let library = Library::new("");
    fs::write(library.file(), "#!/bin/sh\n").unwrap();
    is_not_loaded(&library, Code::IO, "file too short");
    // A function that nobody has is found out when it is loaded, not when it is called.
    library.compile(
        "extern int nobody_has(void); answer.exit_code = nobody_has();",
        &[],
    );
    is_not_loaded(&library, Code::IO, "undefined symbol: nobody_has");
    library.compile("", &[]);
    library.run(Verb::Del).unwrap();
}

/// `tests/run` links this test statically once more, for this one alone.
#[test]
#[cfg(target_feature = "crt-static")]
fn a_static_program_says_that_it_cannot_load_libraries() {
    let why = "this program is linked statically, and such a program cannot load libraries";
    is_not_loaded(&Library::new(""), Code::INVALID_CONFIG, why);
}
