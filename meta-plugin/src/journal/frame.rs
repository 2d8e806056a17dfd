//! Records as lines: eight digits of length, eight of CRC-32, the JSON, a line end.
//!
//! This frame, and the key `journal` of the first record, stay the same in every version of the format.
//! JSON that is written compactly holds no line end, so the next record is found behind any damage.

use serde::Serialize;

/// No call comes near it; what is behind it is not read.
pub(super) const LARGEST_FILE: u64 = 64 << 20;

/// `llllllll cccccccc `
const HEAD: usize = 18;

/// `record` as a line.
pub(super) fn encode(record: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let json = serde_json::to_string(record)?;
    let line = format!("{:08x} {:08x} {json}\n", json.len(), crc32(json.as_bytes()));
    Ok(line.into_bytes())
}

/// The JSON of each line that holds what was written, with the offset behind it; `None` for damage.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, Option<&[u8]>)> {
    let mut offset = 0;
    bytes.split_inclusive(|b| *b == b'\n').map(move |line| {
        offset += line.len();
        (offset, decode(line))
    })
}

fn decode(line: &[u8]) -> Option<&[u8]> {
    let line = line.strip_suffix(b"\n")?;
    let (head, json) = line.split_at_checked(HEAD)?;
    let head = std::str::from_utf8(head).ok()?;
    let (length, rest) = head.split_once(' ')?;
    let crc = rest.strip_suffix(' ')?;
    let number = |text: &str| u32::from_str_radix(text, 16).ok();
    let intact = number(length)? as usize == json.len() && number(crc)? == crc32(json);
    intact.then_some(json)
}

/// CRC-32 as in IEEE 802.3, bit by bit: records are short.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1));
    !bytes
        .iter()
        .fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_usual_one() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn a_line_is_what_was_written_or_damage() {
        let line = encode(&serde_json::json!({"a": "x\ny"})).unwrap();
        assert_eq!(decode(&line), Some(&br#"{"a":"x\ny"}"#[..]));
        for cut in 0..line.len() {
            assert_eq!(decode(&line[..cut]), None, "cut at {cut}");
        }
        for at in 0..line.len() {
            let mut damaged = line.clone();
            damaged[at] ^= 1;
            assert_eq!(decode(&damaged), None, "flipped at {at}");
        }
    }
}
