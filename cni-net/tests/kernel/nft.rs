use cni_net::nft::{Base, Chain, ChainType, Expr, Family, Hook, Is, Policy, Transaction};
use cni_net::{At, Nft};

use crate::fixture::{Node, Place};

fn chain(family: Family, name: &str) -> Chain {
    Chain::new(family, "t", name)
}

/// A table with a chain of each kind, and one rule of each kind in the first.
fn set_up(node: &Node, at: At<'_>, family: Family, rules: &[Vec<Expr>]) -> Chain {
    let (one, two) = (chain(family, "one"), chain(family, "two"));
    let mut transaction = Transaction::default();
    transaction.add_table(family, "t");
    transaction.add_chain(&two);
    let mut base = Base::new(ChainType::Filter, Hook::Forward, -10);
    base.policy = Policy::Drop;
    transaction.add_base_chain(&one, base);
    for (number, rule) in rules.iter().enumerate() {
        transaction.add_rule(&one, rule, &format!("rule {number}"));
    }
    node.kernel.apply(at, &transaction).unwrap();
    one
}

fn v4() -> Expr {
    Expr::Source(Is::Equal, "10.1.2.3/32".parse().unwrap())
}

fn v6() -> Expr {
    Expr::Destination(Is::Not, "fd00::/60".parse().unwrap())
}

#[test]
fn every_word_comes_back_from_the_kernel_in_every_family() {
    let (node, pod) = (Node::new(), Place::new());
    let words = vec![
        vec![Expr::InputInterface(Is::Equal, "eth0".into()), Expr::Accept],
        vec![Expr::OutputInterface(Is::Not, "eth0".into()), Expr::Drop],
        vec![Expr::Jump("two".into())],
        vec![Expr::Goto("two".into())],
        vec![Expr::Return],
    ];
    for (family, addresses) in [
        (Family::Inet, vec![vec![v4(), v6()], vec![v4()], vec![v6()]]),
        (Family::Ip, vec![vec![v4(), Expr::Accept]]),
        (Family::Ip6, vec![vec![v6(), Expr::Accept]]),
        (
            Family::Bridge,
            vec![vec![v4(), Expr::Drop], vec![v6(), Expr::Drop]],
        ),
    ] {
        let rules = [words.clone(), addresses].concat();
        for at in [At::Host, At::Netns(&pod.netns)] {
            let chain = set_up(&node, at, family, &rules);
            let found = node.kernel.rules(at, &chain).unwrap();
            assert_eq!(found.len(), rules.len());
            for (number, (found, rule)) in found.iter().zip(&rules).enumerate() {
                assert_eq!(found.comment, format!("rule {number}"));
                assert!(found.does(rule), "{family} {rule:?}: {found:?}");
                assert!(!found.does(&[Expr::Masquerade]));
            }
        }
    }
}

#[test]
fn what_is_not_there_has_no_rules() {
    let node = Node::new();
    let rules = |name| node.kernel.rules(At::Host, &chain(Family::Inet, name)).unwrap();
    assert_eq!(rules("one"), []);
    set_up(&node, At::Host, Family::Inet, &[]);
    assert_eq!(rules("other"), []);
    assert_eq!(rules("one"), []);
}

#[test]
fn a_refused_part_undoes_all_and_is_named() {
    let node = Node::new();
    let one = set_up(&node, At::Host, Family::Inet, &[vec![Expr::Accept]]);
    let before = node.kernel.rules(At::Host, &one).unwrap();
    let mut transaction = Transaction::default();
    transaction.add_rule(&one, &[Expr::Drop], "");
    transaction.del_rule(&one, before[0].handle);
    transaction.del_rule(&one, 4711);
    let error = node.kernel.apply(At::Host, &transaction).unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"delete rule 4711 of chain "one" of table inet "t""#
    );
    assert!(error.is_absent(), "{error:?}");
    assert_eq!(node.kernel.rules(At::Host, &one).unwrap(), before);
}

#[test]
fn tables_and_chains_stay_when_added_again_and_go_when_deleted() {
    let node = Node::new();
    let rules = [vec![Expr::Accept], vec![Expr::Drop]];
    set_up(&node, At::Host, Family::Inet, &rules);
    let one = set_up(&node, At::Host, Family::Inet, &rules);
    assert_eq!(node.kernel.rules(At::Host, &one).unwrap().len(), 4);

    let mut transaction = Transaction::default();
    transaction.flush_chain(&one);
    node.kernel.apply(At::Host, &transaction).unwrap();
    assert_eq!(node.kernel.rules(At::Host, &one).unwrap(), []);

    let mut transaction = Transaction::default();
    transaction.del_chain(&one);
    transaction.del_table(Family::Inet, "t");
    node.kernel.apply(At::Host, &transaction).unwrap();
    let again = node.kernel.apply(At::Host, &transaction).unwrap_err();
    assert!(again.is_absent(), "{again:?}");
}

#[test]
fn a_comment_that_does_not_fit_is_refused_before_anything_is_sent() {
    let node = Node::new();
    let one = set_up(&node, At::Host, Family::Inet, &[]);
    let mut transaction = Transaction::default();
    transaction.add_rule(&one, &[Expr::Accept], &"x".repeat(129));
    let error = node.kernel.apply(At::Host, &transaction).unwrap_err();
    assert!(error.to_string().ends_with("is longer than 128 bytes"), "{error}");
    assert_eq!(node.kernel.rules(At::Host, &one).unwrap(), []);
}
