//! A program that does nothing: what any plugin costs at least.

fn main() {}
