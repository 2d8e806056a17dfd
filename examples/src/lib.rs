//! Examples for plugin authors and operators. The README's code is one of them, and is compiled here.
#![doc = include_str!("../../README.md")]
