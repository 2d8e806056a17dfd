//! Running a target on stable: its seeds, each of them cut at every byte, and then changes of them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::Target;
use crate::mutate::{Random, mutate};

/// How long to go on.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    /// So many changed documents, always the same ones.
    Count(usize),
    /// Until the time is over; the seed says which ones.
    Time(Duration, u64),
}

/// No input may take this long: far more than any does, whatever else the machine has to do.
const HANG: Duration = Duration::from_secs(60);

/// How many bytes of a finding are shown; all of them are in its file.
const SHOWN: usize = 2000;

enum Event {
    Ran,
    Done(usize),
    Panicked,
}

type Current = Arc<Mutex<Vec<u8>>>;

/// Runs `target`, and says how many inputs there were.
///
/// # Panics
/// When one makes the target panic or hang: with its bytes, which are in a file as well.
pub fn drive(target: Target, until: Until) -> usize {
    let current = Current::default();
    let (events, received) = channel();
    let worker = Arc::clone(&current);
    thread::spawn(move || work(target, until, &worker, &events));
    loop {
        match received.recv_timeout(HANG) {
            Ok(Event::Ran) => {}
            Ok(Event::Done(count)) => return count,
            Ok(Event::Panicked) => found(target, &current.lock().unwrap(), "panics"),
            Err(RecvTimeoutError::Timeout) => found(target, &current.lock().unwrap(), "hangs"),
            Err(RecvTimeoutError::Disconnected) => panic!("{} ended", target.name),
        }
    }
}

fn found(target: Target, input: &[u8], what: &str) -> ! {
    let name = format!("fuzz-{}-{}-{:x}", target.name, std::process::id(), input.len());
    let path: PathBuf = std::env::temp_dir().join(name);
    std::fs::write(&path, input).unwrap();
    let shown = &input[..input.len().min(SHOWN)];
    panic!(
        "{} {what} on {} bytes, {}: b\"{}\"",
        target.name,
        input.len(),
        path.display(),
        shown.escape_ascii()
    );
}

fn work(target: Target, until: Until, current: &Current, events: &Sender<Event>) {
    let mut count = 0;
    let mut run = |input: Vec<u8>| {
        current.lock().unwrap().clone_from(&input);
        let survived = catch_unwind(AssertUnwindSafe(|| (target.run)(&input))).is_ok();
        count += 1;
        // Nobody listens any more when an earlier input was a finding.
        survived && events.send(Event::Ran).is_ok()
    };
    let completed = inputs(target, until).all(&mut run);
    let event = if completed {
        Event::Done(count)
    } else {
        Event::Panicked
    };
    drop(events.send(event));
}

/// Every input in turn.
fn inputs(target: Target, until: Until) -> impl Iterator<Item = Vec<u8>> {
    let seeds = target.seeds();
    let whole = seeds.clone().into_iter();
    let cuts = seeds.clone().into_iter().flat_map(|seed| {
        let step = seed.len().div_ceil(200).max(1);
        (0..seed.len())
            .step_by(step)
            .map(move |end| seed[..end].to_vec())
            .collect::<Vec<_>>()
    });
    whole.chain(cuts).chain(changed(seeds, until))
}

/// Changes of the seeds, and of what came of them.
fn changed(seeds: Vec<Vec<u8>>, until: Until) -> impl Iterator<Item = Vec<u8>> {
    let (most, end, seed) = match until {
        Until::Count(count) => (count, None, 1),
        Until::Time(time, seed) => (usize::MAX, Some(Instant::now() + time), seed),
    };
    let mut random = Random::new(seed);
    let mut last = Vec::new();
    let in_time = move || end.is_none_or(|end| Instant::now() < end);
    (0..most).take_while(move |_| in_time()).map(move |_| {
        let other = &seeds[random.below(seeds.len())];
        let fresh = last.is_empty() || random.below(4) > 0;
        let from = if fresh {
            &seeds[random.below(seeds.len())]
        } else {
            &last
        };
        let input = mutate(&mut random.clone(), from, other);
        random.below(2);
        last.clone_from(&input);
        input
    })
}
