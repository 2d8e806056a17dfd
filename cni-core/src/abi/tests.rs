use super::*;

fn unmakable() -> &'static dyn DynPlugin {
    panic!("no such device")
}

#[test]
fn a_plugin_that_cannot_be_made_is_an_error() {
    let (code, output, messages) = outcome(unmakable, b"CNI_COMMAND=ADD\0", b"");
    let expected = r#"{"cniVersion":"1.1.0","code":199,"msg":"plugin panicked","details":"no such device"}"#;
    assert_eq!((code, String::from_utf8(output).unwrap().as_str()), (1, expected));
    assert!(messages.is_empty());
}

#[test]
fn variables_are_what_has_a_name_and_a_value() {
    let block = b"A=1\0B=x=y\0C=\0nothing\0\0D=\xff\0";
    let read = variables(block).map(|(name, value)| (name, value.into_encoded_bytes()));
    let expected: [(&[u8], &[u8]); 4] = [(b"A", b"1"), (b"B", b"x=y"), (b"C", b""), (b"D", b"\xff")];
    assert!(read.eq(expected.map(|(name, value)| (name, value.to_vec()))));
}
