//! Changes of documents: of their bytes, and of the JSON in them, wherever in a text that is.

/// A source of numbers, the same for the same seed (xorshift64*).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Numbers from `seed` on.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16;
        (number % end as u64) as usize
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

/// Values that somebody may not have thought of.
const VALUES: &[&str] = &[
    "null",
    "true",
    "0",
    "-1",
    "1",
    "255",
    "65536",
    "4294967295",
    "4294967296",
    "18446744073709551615",
    "-9223372036854775808",
    "1e400",
    "1.0",
    "\"\"",
    "\"0\"",
    "\"..\"",
    "\"/\"",
    "\"a/b\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"é\u{2003}\"",
    "\"0.0.0.0/0\"",
    "\"::/0\"",
    "\"255.255.255.255/32\"",
    "\"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128\"",
    "\"::ffff:1.2.3.4/96\"",
    "\"1.2.3.04\"",
    "\"1.2.3.4/024\"",
    "\"ff:ff:ff:ff:ff:ff\"",
    "\"IFNAME\"",
    "\"0.1.0\"",
    "\"0.2.0\"",
    "\"0.4.0\"",
    "\"1.1.0\"",
    "\"a-name-that-is-longer-than-any-interface-may-have\"",
    "[]",
    "[[]]",
    "[null]",
    "{}",
    "{\"\":{}}",
];

/// Bytes that mean something.
const BYTES: &[u8] = b"\"{}[],:;=@/.-+%\\ \n\t\0\r'&*!|>#0a\x7f\x80\xff";

/// No document grows beyond this.
const LONGEST: usize = 1 << 16;

/// `input`, changed in one to four places; `other` is a document to take parts of.
pub fn mutate(random: &mut Random, input: &[u8], other: &[u8]) -> Vec<u8> {
    let mut out = input.to_vec();
    for _ in 0..=random.below(4) {
        match random.below(12) {
            0 => flip(random, &mut out),
            1 => put(random, &mut out),
            2 => cut(random, &mut out),
            3 => splice(random, &mut out, other),
            4 => out.truncate(random.below(out.len() + 1)),
            5 => respell(random, &mut out),
            6 => again(random, &mut out),
            7 | 8 => graft(random, &mut out, other),
            _ => replace(random, &mut out),
        }
        out.truncate(LONGEST);
    }
    out
}

fn flip(random: &mut Random, out: &mut [u8]) {
    if !out.is_empty() {
        out[random.below(out.len())] ^= 1 << random.below(8);
    }
}

fn put(random: &mut Random, out: &mut Vec<u8>) {
    let byte = BYTES[random.below(BYTES.len())];
    out.insert(random.below(out.len() + 1), byte);
}

/// A part of no more than a word.
fn cut(random: &mut Random, out: &mut Vec<u8>) {
    let start = random.below(out.len() + 1);
    let end = out.len().min(start + random.below(9));
    out.drain(start..end);
}

fn splice(random: &mut Random, out: &mut Vec<u8>, other: &[u8]) {
    let start = random.below(other.len() + 1);
    let end = other.len().min(start + random.below(64));
    let at = random.below(out.len() + 1);
    out.splice(at..at, other[start..end].iter().copied());
}

/// A letter in the other case: keys match in any.
fn respell(random: &mut Random, out: &mut [u8]) {
    let letters: Vec<usize> = (0..out.len())
        .filter(|at| out[*at].is_ascii_alphabetic())
        .collect();
    if !letters.is_empty() {
        out[letters[random.below(letters.len())]] ^= 0x20;
    }
}

/// A value a second time, seldom many times, with a comma between.
fn again(random: &mut Random, out: &mut Vec<u8>) {
    let Some((start, end)) = value(random, out) else {
        return;
    };
    let times = if random.below(100) == 0 { 500 } else { 1 };
    let times = times.min(LONGEST / (end - start + 1));
    let value = [b",", &out[start..end]].concat();
    out.splice(end..end, value.repeat(times));
}

/// A value of `other` in the place of one.
fn graft(random: &mut Random, out: &mut Vec<u8>, other: &[u8]) {
    if let (Some((start, end)), Some((from, to))) = (value(random, out), value(random, other)) {
        out.splice(start..end, other[from..to].iter().copied());
    }
}

/// One of [`VALUES`] in the place of a value; as text inside of text.
fn replace(random: &mut Random, out: &mut Vec<u8>) {
    let Some((start, end)) = value(random, out) else {
        return;
    };
    let new = random.pick(VALUES);
    let bare = out[start] != b'"' && random.below(2) == 0;
    let new = if bare { new.trim_matches('"') } else { new };
    out.splice(start..end, new.bytes());
}

/// Where a JSON value, or what looks like one, begins and ends.
fn value(random: &mut Random, text: &[u8]) -> Option<(usize, usize)> {
    let begins = |at: &usize| {
        let before = at.checked_sub(1).map(|before| text[before]);
        let word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        matches!(text[*at], b'"' | b'{' | b'[') || (word(text[*at]) && !before.is_some_and(word))
    };
    let starts: Vec<usize> = (0..text.len()).filter(begins).collect();
    if starts.is_empty() {
        return None;
    }
    let start = starts[random.below(starts.len())];
    Some((start, start + length(&text[start..])))
}

fn length(text: &[u8]) -> usize {
    let quoted = |text: &[u8]| {
        let mut escaped = false;
        let end = text.iter().skip(1).position(|byte| {
            let ends = *byte == b'"' && !escaped;
            escaped = *byte == b'\\' && !escaped;
            ends
        });
        end.map_or(text.len(), |end| end + 2)
    };
    match text[0] {
        b'"' => quoted(text),
        b'{' | b'[' => {
            let (mut depth, mut at) = (0_usize, 0);
            while at < text.len() {
                match text[at] {
                    b'"' => at += quoted(&text[at..]) - 1,
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' if depth == 1 => return at + 1,
                    b'}' | b']' => depth -= 1,
                    _ => {}
                }
                at += 1;
            }
            text.len()
        }
        _ => {
            let end = |byte: &u8| !(byte.is_ascii_alphanumeric() || b"-.+_".contains(byte));
            text.iter().position(end).unwrap_or(text.len())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_whole() {
        for (text, expected) in [
            (r#""a\"b",1"#, r#""a\"b""#),
            (r#"{"a":["}"]},1"#, r#"{"a":["}"]}"#),
            ("[1,[2]] x", "[1,[2]]"),
            ("-1.5e+3,", "-1.5e+3"),
            ("\"open", "\"open"),
            ("[open", "[open"),
        ] {
            assert_eq!(length(text.as_bytes()), expected.len(), "{text}");
        }
    }

    #[test]
    fn one_seed_gives_one_sequence() {
        let run = |seed| {
            let mut random = Random::new(seed);
            let mut text = br#"{"a":[1,"b"]}"#.to_vec();
            for _ in 0..50 {
                text = mutate(&mut random, &text, b"[true]");
            }
            text
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
    }
}
