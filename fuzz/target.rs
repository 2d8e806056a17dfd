//! The target that is named as this program is, with half of the changes made by our own mutator.
#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use plexus_fuzz::Target;
use plexus_fuzz::mutate::{Random, mutate};

const NAME: &str = env!("CARGO_BIN_NAME");

static TARGET: LazyLock<Target> = LazyLock::new(|| Target::named(NAME));
static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| TARGET.seeds());

fuzz_target!(
    init: {
        // libFuzzer reads the directory after this.
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(NAME);
        if corpus.is_dir() {
            TARGET.write_seeds(&corpus);
        }
    },
    |data: &[u8]| (TARGET.run)(data)
);

fuzz_mutator!(|data: &mut [u8], size: usize, most: usize, seed: u32| {
    let mut random = Random::new(u64::from(seed));
    if random.below(2) == 0 {
        return fuzzer_mutate(data, size, most);
    }
    let seeds = &*SEEDS;
    let other = &seeds[random.below(seeds.len())];
    let changed = mutate(&mut random, &data[..size], other);
    let length = changed.len().min(most);
    data[..length].copy_from_slice(&changed[..length]);
    length
});

