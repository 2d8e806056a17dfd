//! Refusing unknown keys.

use cni_core::spec::Object;

use super::ConfigError;

/// Refuses a key of `object` that is not one of `known`, with its case; keys that begin with `prefix` pass.
pub(super) fn only(object: &Object, known: &[&'static str], prefix: Option<&str>) -> Result<(), ConfigError> {
    let foreign = |key: &&str| !known.contains(key) && !prefix.is_some_and(|prefix| key.starts_with(prefix));
    match object.iter().map(|(key, _)| key).find(foreign) {
        None => Ok(()),
        Some(key) => Err(ConfigError::Unknown {
            key: key.chars().take(80).collect(),
            nearest: nearest(key, known),
        }),
    }
}

fn nearest(key: &str, known: &[&'static str]) -> &'static str {
    let key: String = key.chars().take(80).collect();
    let by_distance = known.iter().min_by_key(|candidate| distance(&key, candidate));
    by_distance.copied().unwrap_or_default()
}

/// How many letters have to be put in, taken out or replaced to make `b` of `a` (Levenshtein), case aside.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().flat_map(char::to_lowercase).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (at, letter) in (1..).zip(a.chars().flat_map(char::to_lowercase)) {
        let mut next = vec![at];
        let mut left = at;
        for (above, other) in row.windows(2).zip(&b) {
            let &[diagonal, up] = above else { continue };
            left = (diagonal + usize::from(letter != *other))
                .min(up + 1)
                .min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_letters() {
        for (a, b, expected) in [
            ("", "", 0),
            ("", "ab", 2),
            ("ab", "", 2),
            ("kitten", "sitting", 3),
            ("Mode", "mode", 0),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }
}
