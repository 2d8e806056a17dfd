//! The kernel's operations of a rule, and their bytes.

use std::ffi::CStr;

use netlink_bindings::nftables::{
    BitwiseOps, CmpOps, ExprListAttrs, ExprOps, IterableExprBitwiseAttrs, IterableExprListAttrs,
    IterableVerdictAttrs, PushExprListAttrs, Registers,
};
use netlink_bindings::traits::Pusher;

/// An operation; values pass from one to the next through the first register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Op {
    /// Goes on if the value is `data`, or if it is not.
    Compare { equal: bool, data: Vec<u8> },
    /// Clears the bits that are not in the mask.
    Mask(Vec<u8>),
    /// Rewrites the packet's source to the outgoing interface's address.
    Masquerade,
    /// Loads what is known about the packet.
    Meta { key: u32 },
    /// Loads a part of the packet.
    Payload { base: u32, offset: u32, len: u32 },
    /// Decides.
    Verdict { code: u32, chain: Option<String> },
}

/// Appends `ops` to a rule.
pub(super) fn encode<P: Pusher>(mut list: PushExprListAttrs<P>, ops: &[Op]) -> PushExprListAttrs<P> {
    for op in ops {
        list = push(list, op);
    }
    list
}

fn push<P: Pusher>(list: PushExprListAttrs<P>, op: &Op) -> PushExprListAttrs<P> {
    let (register, verdict) = (Registers::Reg1 as u32, Registers::RegVerdict as u32);
    let expr = list.nested_elem();
    let expr = match op {
        Op::Compare { equal, data } => {
            let how = if *equal { CmpOps::Eq } else { CmpOps::Neq };
            let expr = expr.nested_data_cmp().push_sreg(register).push_op(how as u32);
            expr.nested_data().push_value(data).end_nested().end_nested()
        }
        Op::Mask(mask) => {
            let expr = expr.nested_data_bitwise().push_sreg(register).push_dreg(register);
            let expr = expr.push_len(mask.len() as u32);
            let expr = expr.nested_mask().push_value(mask).end_nested();
            let zeroes = vec![0; mask.len()];
            expr.nested_xor().push_value(&zeroes).end_nested().end_nested()
        }
        Op::Masquerade => return expr.push_name(c"masq").end_nested(),
        Op::Meta { key } => expr
            .nested_data_meta()
            .push_key(*key)
            .push_dreg(register)
            .end_nested(),
        Op::Payload { base, offset, len } => {
            let expr = expr.nested_data_payload().push_dreg(register);
            let expr = expr.push_base(*base).push_offset(*offset);
            expr.push_len(*len).end_nested()
        }
        Op::Verdict { code, chain } => {
            let expr = expr.nested_data_immediate().push_dreg(verdict).nested_data();
            let mut data = expr.nested_verdict().push_code(*code);
            if let Some(chain) = chain {
                data = data.push_chain_bytes(chain.as_bytes());
            }
            data.end_nested().end_nested().end_nested()
        }
    };
    expr.end_nested()
}

/// Reads the operations of a rule; `None` when one is none of ours.
pub(super) fn decode(list: IterableExprListAttrs<'_>) -> Option<Vec<Op>> {
    list.map(|entry| {
        let Ok(ExprListAttrs::Elem(expr)) = entry else {
            return None;
        };
        if expr.get_name().ok()? == c"masq" {
            return Some(Op::Masquerade);
        }
        decode_one(expr.get_data().ok()?)
    })
    .collect()
}

fn decode_one(expr: ExprOps<'_>) -> Option<Op> {
    match expr {
        ExprOps::Bitwise(attrs) => decode_mask(&attrs),
        ExprOps::Cmp(attrs) => {
            let equal = match attrs.get_op().ok()? {
                op if op == CmpOps::Eq as u32 => true,
                op if op == CmpOps::Neq as u32 => false,
                _ => return None,
            };
            let data = attrs.get_data().ok()?.get_value().ok()?.to_vec();
            Some(Op::Compare { equal, data })
        }
        ExprOps::Immediate(attrs) => {
            let verdict = attrs.get_data().ok()?.get_verdict().ok()?;
            decode_verdict(&verdict)
        }
        ExprOps::Meta(attrs) => Some(Op::Meta {
            key: attrs.get_key().ok()?,
        }),
        ExprOps::Payload(attrs) => Some(Op::Payload {
            base: attrs.get_base().ok()?,
            offset: attrs.get_offset().ok()?,
            len: attrs.get_len().ok()?,
        }),
        _ => None,
    }
}

/// Only the kind that masks: shifts and the rest are none of ours.
fn decode_mask(attrs: &IterableExprBitwiseAttrs<'_>) -> Option<Op> {
    // Kernels before 5.6 know one kind and do not name it.
    let op = attrs.get_op().unwrap_or(BitwiseOps::MaskXor as u32);
    let xor = attrs.get_xor().ok()?.get_value().ok()?;
    let masks = op == BitwiseOps::MaskXor as u32 && xor.iter().all(|byte| *byte == 0);
    let mask = attrs.get_mask().ok()?.get_value().ok()?;
    masks.then(|| Op::Mask(mask.to_vec()))
}

fn decode_verdict(attrs: &IterableVerdictAttrs<'_>) -> Option<Op> {
    let text = |name: &CStr| name.to_string_lossy().into_owned();
    Some(Op::Verdict {
        code: attrs.get_code().ok()?,
        chain: attrs.get_chain().ok().map(text),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_come_back_as_they_were() {
        let ops = [
            Op::Meta { key: 15 },
            Op::Compare {
                equal: true,
                data: vec![2],
            },
            Op::Payload {
                base: 1,
                offset: 16,
                len: 4,
            },
            Op::Mask(vec![0xff, 0xff, 0xf0, 0]),
            Op::Compare {
                equal: false,
                data: vec![10, 1, 0, 0],
            },
            Op::Masquerade,
            Op::Verdict {
                code: 0xffff_fffc,
                chain: Some("masq_checks".into()),
            },
        ];
        let mut bytes = Vec::new();
        encode(PushExprListAttrs::new(&mut bytes), &ops).end_nested();
        assert_eq!(decode(ExprListAttrs::new(&bytes)).as_deref(), Some(&ops[..]));
        for cut in 0..bytes.len() {
            // Whatever the rest reads as, it is no panic, and not the whole.
            assert_ne!(
                decode(ExprListAttrs::new(&bytes[..cut])).as_deref(),
                Some(&ops[..])
            );
        }
    }

    #[test]
    fn a_comparison_has_the_bytes_that_nft_sends() {
        let op = Op::Compare {
            equal: false,
            data: vec![10, 1, 2],
        };
        let mut bytes = Vec::new();
        encode(PushExprListAttrs::new(&mut bytes), &[op]).end_nested();
        #[rustfmt::skip]
        let expected = [
            0x2c, 0, 0x01, 0x80,
                0x08, 0, 1, 0, b'c', b'm', b'p', 0,
                0x20, 0, 0x02, 0x80,
                    8, 0, 1, 0, 0, 0, 0, 1,
                    8, 0, 2, 0, 0, 0, 0, 1,
                    0x0c, 0, 0x03, 0x80,
                        7, 0, 1, 0, 10, 1, 2, 0,
        ];
        assert_eq!(bytes, expected);
    }
}
