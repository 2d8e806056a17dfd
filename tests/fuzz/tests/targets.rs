//! Every parser of what comes from outside, on documents that are nearly right.
//!
//! By itself each target runs the same few hundred documents each time. With `PLEXUS_FUZZ_SECONDS` it runs other ones
//! for so long; what it finds belongs into `tests/fuzz/found/<target>/`, where every later run begins.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use plexus_fuzz::drive::{Until, drive};
use plexus_fuzz::{TARGETS, Target};

/// How many changed documents a target runs when no time is given.
const FEW: usize = 300;

#[expect(clippy::disallowed_methods, reason = "tests/run says here how long to go on")]
fn until() -> Until {
    let Some(seconds) = std::env::var_os("PLEXUS_FUZZ_SECONDS") else {
        return Until::Count(FEW);
    };
    let seconds = seconds.to_str().unwrap().parse().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Until::Time(Duration::from_secs(seconds), now.as_nanos() as u64)
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                let count = drive(Target::named(stringify!($name)), until());
                assert!(count > 0);
                println!("{}: {count} inputs", stringify!($name));
            }
        )*

        #[test]
        fn every_target_is_a_test() {
            let tested = [$(stringify!($name)),*];
            assert_eq!(TARGETS.map(|target| target.name), tested);
        }
    };
}

targets! {
    annotation answers attach cache configuration conflist files host_local journal manifest object plugins result skeleton
    tuning values
}
