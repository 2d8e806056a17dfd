//! The journal, with its checksums right and wrong.

use std::path::Path;

use plexus::journal::{JournalError, State};

/// Any bytes, and the same bytes as the texts of records whose frames are right.
pub(crate) fn journal(data: &[u8]) {
    replays(data);
    let lines = data.split(|b| *b == b'\n').map(|line| {
        // Of a line that is a record already, the record.
        let json = line
            .iter()
            .position(|b| *b == b'{')
            .map_or(line, |at| &line[at..]);
        frame(json)
    });
    let framed = lines.collect::<Vec<_>>().concat();
    replays(&framed);
    // A tail that was torn off takes at most the record that it is in.
    let cut = framed.len() - data.len() % 64 % (framed.len() + 1);
    replays(&framed[..cut]);
}

fn replays(bytes: &[u8]) {
    let path = Path::new("/journal");
    match State::replay(path, bytes) {
        Ok((state, good)) => {
            let again = State::replay(path, &bytes[..good]);
            assert_eq!(again.unwrap(), (state.clone(), good));
            let attached = state.is_attached();
            assert!(!(attached && state.failed.is_some()));
        }
        Err(JournalError::Newer { .. }) => {}
        Err(error) => panic!("{error}"),
    }
}

/// A line of the journal, as the format has it.
fn frame(json: &[u8]) -> Vec<u8> {
    let head = format!("{:08x} {:08x} ", json.len(), crc32(json));
    [head.as_bytes(), json, b"\n"].concat()
}

/// CRC-32 as in IEEE 802.3.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = !0_u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let polynomial = if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
            crc = (crc >> 1) ^ polynomial;
        }
    }
    !crc
}
