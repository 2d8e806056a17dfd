//! Times our programs beside the reference's and prints ratios; counts the instructions of a call.
//!
//! `plexus-bench` runs in a network namespace of its own (`tests/run bench` makes one); `plexus-bench instructions`
//! fails when a call takes more instructions than it may.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and fails by panicking"
)]

mod calls;
mod instructions;
mod overhead;
mod whole;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {
            whole::report();
            overhead::report();
        }
        ["calls", way, count] => calls::make(way, count.parse().unwrap()),
        ["instructions"] => instructions::guard(),
        _ => panic!("usage: plexus-bench [instructions]"),
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
