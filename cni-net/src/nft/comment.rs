//! A rule's comment, in the place and form in which `nft` keeps it: the user data, as type, length, value.

/// `NFTNL_UDATA_RULE_COMMENT`.
const RULE_COMMENT: u8 = 0;

/// The longest comment that `nft` accepts, in bytes.
pub(super) const LONGEST: usize = 128;

/// The user data of a rule with `comment`, which is no longer than [`LONGEST`].
pub(super) fn encode(comment: &str) -> Vec<u8> {
    let value = &comment.as_bytes()[..comment.len().min(LONGEST)];
    let mut data = vec![RULE_COMMENT, value.len() as u8 + 1];
    data.extend_from_slice(value);
    data.push(0);
    data
}

/// The comment in a rule's user data; empty when there is none.
pub(super) fn decode(mut data: &[u8]) -> String {
    while let [kind, len, rest @ ..] = data {
        let Some((value, next)) = rest.split_at_checked(usize::from(*len)) else {
            break;
        };
        if *kind == RULE_COMMENT {
            let text = value.split(|byte| *byte == 0).next().unwrap_or_default();
            return String::from_utf8_lossy(text).into_owned();
        }
        data = next;
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_has_the_bytes_that_nft_writes() {
        assert_eq!(encode("abc"), b"\x00\x04abc\x00");
        assert_eq!(decode(b"\x00\x04abc\x00"), "abc");
        let longest = "x".repeat(LONGEST);
        assert_eq!(decode(&encode(&longest)), longest);
    }

    #[test]
    fn other_user_data_is_passed_over() {
        assert_eq!(decode(b"\x01\x02\xff\xff\x00\x04abc\x00"), "abc");
        for nothing in [&b""[..], b"\x00", b"\x00\x09abc", b"\x01\x01x"] {
            assert_eq!(decode(nothing), "", "{nothing:?}");
        }
    }
}
