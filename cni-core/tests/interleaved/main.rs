//! Whatever is done in whatever order, and whatever fails in it, can be brought back to the start.
//!
//! A runtime that keeps to the specification ADDs, DELs and GCs several containers in several networks. Plugins and
//! the place where results are kept fail at random, before or after their effect, or panic. Throughout, what is
//! attached stays so; in the end, when nothing fails any more, DEL and GC leave what there was at first.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod flaky;
mod keeper;
mod random;

use std::collections::BTreeSet;
use std::time::Duration;

use cni_core::chain::{self, ChainError, FailedAdd, FailedDel, InMemory, Results, Runtime};
use cni_core::invoke::Builtin;
use cni_core::spec::{AttachmentId, ConfList, NetnsPath, ValidAttachment};
use cni_core::store::Store;

use crate::flaky::Flaky;
use crate::keeper::{Held, Keeper, World};
use crate::random::Random;

/// A container's attachment to the network of this number.
type Attachment = (usize, AttachmentId);

/// One runtime, and what it knows.
struct Case<'a, R> {
    seed: u64,
    random: Random,
    world: World,
    runtime: Runtime<'a>,
    kept: Flaky<R>,
    lists: Vec<ConfList>,
    /// ADDed, and not DELed since.
    live: BTreeSet<Attachment>,
    /// ADD was tried, and no DEL or GC has succeeded since.
    owed: BTreeSet<Attachment>,
    done: Vec<String>,
}

fn list(number: usize, version: &str, plugins: usize) -> ConfList {
    let plugins: Vec<String> = (0..plugins)
        .map(|place| format!(r#"{{"type":"keeper","place":{place}}}"#))
        .collect();
    let plugins = plugins.join(",");
    let list = format!(r#"{{"cniVersion":"{version}","name":"net{number}","plugins":[{plugins}]}}"#);
    ConfList::from_bytes(list.as_bytes()).unwrap()
}

fn id(number: usize) -> AttachmentId {
    AttachmentId::new(format!("c{number}").parse().unwrap(), "eth0".parse().unwrap())
}

/// Plays the case of `seed`, its results kept in `kept`.
fn play(seed: u64, kept: impl Results) {
    let world = World::new(seed);
    let before = world.held();
    let builtin = Builtin::new().with(Keeper(world.clone()));
    let mut case = Case {
        seed,
        random: Random::new(seed),
        world: world.clone(),
        runtime: Runtime::new(&builtin, []),
        kept: Flaky::new(kept, world.clone()),
        lists: vec![
            list(0, "1.1.0", 3),
            list(1, "1.1.0", 1),
            list(2, "1.0.0", 2),
            list(3, "0.3.1", 2),
        ],
        live: BTreeSet::new(),
        owed: BTreeSet::new(),
        done: Vec::new(),
    };
    for _ in 0..30 {
        case.step();
    }
    case.end();
    assert_eq!(world.held(), before, "{}", case.told());
}

impl<R: Results> Case<'_, R> {
    /// One operation, in which something may fail.
    fn step(&mut self) {
        self.world.fail_at(self.random.below(12), self.random.next());
        self.runtime.failed_add = match self.random.below(2) {
            0 => FailedAdd::Leave,
            _ => FailedAdd::Undo(Duration::from_secs(60)),
        };
        self.runtime.failed_del = match self.random.below(2) {
            0 => FailedDel::Stop,
            _ => FailedDel::GoOn,
        };
        let attachment = (self.random.below(self.lists.len()), id(self.random.below(3)));
        match self.random.below(10) {
            0..=4 if !self.owed.contains(&attachment) => self.add(attachment),
            0..=6 => drop(self.del(attachment)),
            7 => self.gc_unknowing(attachment.0),
            _ => drop(self.gc(attachment.0)),
        }
        self.world.heal();
        for live in &self.live {
            assert_eq!(
                self.places(live),
                self.all_places(live),
                "{live:?} is held; {}",
                self.told()
            );
            let kept = self.kept.inner.get(&self.lists[live.0], &live.1).unwrap();
            assert!(
                kept.is_some_and(|kept| kept.result.is_some()),
                "{live:?} is kept; {}",
                self.told()
            );
        }
    }

    fn add(&mut self, attachment: Attachment) {
        let (network, id) = &attachment;
        let netns = NetnsPath::new("/nowhere/ns");
        let added = chain::add(&self.lists[*network], id, &netns, &self.runtime, &self.kept);
        self.note("add", &attachment, &added);
        let undone =
            self.runtime.failed_add != FailedAdd::Leave && !matches!(added, Err(ChainError::Several(_)));
        match added {
            Ok(_) => drop((self.live.insert(attachment.clone()), self.owed.insert(attachment))),
            // Whether or not the runtime follows it with a DEL: there is nothing left to delete.
            Err(_) if undone => self.assert_gone(&attachment),
            Err(_) => drop(self.owed.insert(attachment)),
        }
    }

    fn del(&mut self, attachment: Attachment) -> Result<(), ChainError> {
        let (network, id) = &attachment;
        // From here on it is not in use, whatever comes of it.
        self.live.remove(&attachment);
        let deleted = chain::del(&self.lists[*network], id, None, &self.runtime, &self.kept);
        self.note("del", &attachment, &deleted);
        if deleted.is_ok() {
            self.assert_gone(&attachment);
            self.owed.remove(&attachment);
        }
        deleted
    }

    /// GC by a runtime that knows what is in use.
    fn gc(&mut self, network: usize) -> Result<(), ChainError> {
        let live = self.live.iter().filter(|(of, _)| *of == network);
        let valid: BTreeSet<ValidAttachment> = live.map(|(_, id)| ValidAttachment::from(id)).collect();
        let list = &self.lists[network];
        let collected = chain::gc(list, Some(&valid), &self.runtime, &self.kept);
        self.done.push(format!("gc {network} {collected:?}"));
        // Below 1.1.0 only what is kept can be collected.
        if collected.is_ok() && list.version.to_string() == "1.1.0" {
            let (live, owed) = (&self.live, &mut self.owed);
            owed.retain(|attachment| attachment.0 != network || live.contains(attachment));
            for number in 0..3 {
                let attachment = (network, id(number));
                if !self.live.contains(&attachment) {
                    self.assert_gone(&attachment);
                }
            }
        }
        collected
    }

    /// GC by one that does not.
    fn gc_unknowing(&mut self, network: usize) {
        let before = self.world.held();
        let collected = chain::gc(&self.lists[network], None, &self.runtime, &self.kept);
        self.done.push(format!("gc {network} unknowing {collected:?}"));
        assert_eq!(self.world.held(), before, "{}", self.told());
    }

    /// Nothing fails any more, and everything is taken back: by DEL, by GC, or by both.
    fn end(&mut self) {
        self.runtime.failed_del = FailedDel::Stop;
        for attachment in self.owed.clone() {
            let by_gc = self.lists[attachment.0].version.to_string() == "1.1.0" && self.random.below(2) == 0;
            if by_gc {
                self.live.remove(&attachment);
            } else {
                let deleted = self.del(attachment);
                assert!(deleted.is_ok(), "{}", self.told());
            }
        }
        for network in 0..self.lists.len() {
            let collected = self.gc(network);
            assert!(collected.is_ok(), "{}", self.told());
            assert_eq!(
                self.kept.inner.list(&self.lists[network]).unwrap(),
                [],
                "{}",
                self.told()
            );
        }
    }

    #[track_caller]
    fn assert_gone(&self, attachment: &Attachment) {
        assert_eq!(self.places(attachment), BTreeSet::new(), "{}", self.told());
        let kept = self
            .kept
            .inner
            .get(&self.lists[attachment.0], &attachment.1)
            .unwrap();
        assert_eq!(kept, None, "{}", self.told());
    }

    /// The places in the network's list at which the attachment is held.
    fn places(&self, (network, id): &Attachment) -> BTreeSet<usize> {
        let name = &self.lists[*network].name;
        let held = self.world.held();
        let of = held.iter().filter(|held| held.network == *name && held.id == *id);
        of.map(|Held { place, .. }| *place).collect()
    }

    fn all_places(&self, (network, _): &Attachment) -> BTreeSet<usize> {
        (0..self.lists[*network].plugins().count()).collect()
    }

    fn note<T, E: std::fmt::Debug>(
        &mut self,
        verb: &str,
        (network, id): &Attachment,
        outcome: &Result<T, E>,
    ) {
        let failure = outcome.as_ref().err();
        self.done.push(format!("{verb} {id} in {network} {failure:?}"));
    }

    /// How it came to this.
    fn told(&self) -> String {
        format!("seed {}:\n{}", self.seed, self.done.join("\n"))
    }
}

#[test]
fn any_interleaving_with_any_failures_ends_equal_to_the_start() {
    for seed in 0..400 {
        play(seed, InMemory::default());
    }
}

#[test]
fn the_same_with_results_in_files() {
    let dir = std::env::temp_dir().join(format!("cni-core-interleaved-{}", std::process::id()));
    for seed in 1000..1020 {
        play(seed, Store::new(&dir));
        for left in ["results", "results.tmp"] {
            let left: Vec<_> = std::fs::read_dir(dir.join(left)).unwrap().collect();
            assert!(left.is_empty(), "seed {seed}: {left:?}");
        }
    }
    std::fs::remove_dir_all(dir).unwrap();
}
