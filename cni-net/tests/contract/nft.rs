use cni_net::nft::{Base, Chain, ChainType, Expr, Family, Hook, Transaction};
use cni_net::{At, Nft};

use crate::ground::{Ground, Net};

fn chain(name: &str) -> Chain {
    Chain::new(Family::Inet, "t", name)
}

fn apply(net: &impl Net, fill: impl Fn(&mut Transaction)) -> Result<(), cni_net::NetError> {
    let mut transaction = Transaction::default();
    fill(&mut transaction);
    net.apply(At::Host, &transaction)
}

/// A table, a base chain that jumps to another chain, and a rule in that.
fn set_up(net: &impl Net) {
    apply(net, |t| {
        t.add_table(Family::Inet, "t");
        t.add_chain(&chain("two"));
        t.add_base_chain(&chain("one"), Base::new(ChainType::Filter, Hook::Forward, -10));
        t.add_rule(&chain("one"), &[Expr::Jump("two".into())], "jumps");
        t.add_rule(&chain("two"), &[Expr::Accept], "accepts");
    })
    .unwrap();
}

fn comments(net: &impl Net, name: &str) -> Vec<String> {
    let rules = net.rules(At::Host, &chain(name)).unwrap();
    rules.into_iter().map(|rule| rule.comment).collect()
}

pub(crate) fn rules_come_back_and_go(ground: &impl Ground) {
    let (net, (pod, _held)) = (ground.net(), ground.pod());
    assert_eq!(comments(net, "one"), [""; 0]);
    set_up(net);
    set_up(net);
    assert_eq!(
        (comments(net, "one"), comments(net, "two").len()),
        (vec!["jumps".into(), "jumps".into()], 2)
    );
    assert_eq!(net.rules(At::Netns(&pod), &chain("one")).unwrap(), []);
    let rules = net.rules(At::Host, &chain("one")).unwrap();
    assert!(rules[0].does(&[Expr::Jump("two".into())]) && !rules[0].does(&[Expr::Accept]));
    assert!(rules[0].handle < rules[1].handle);
    apply(net, |t| {
        t.del_rule(&chain("one"), rules[0].handle);
        t.add_rule(&chain("one"), &[Expr::Drop], "");
    })
    .unwrap();
    assert_eq!(comments(net, "one"), ["jumps", ""]);
    apply(net, |t| t.flush_chain(&chain("one"))).unwrap();
    assert_eq!(comments(net, "one"), [""; 0]);
    apply(net, |t| t.del_table(Family::Inet, "t")).unwrap();
    assert_eq!(comments(net, "two"), [""; 0]);
}

pub(crate) fn a_refused_part_undoes_all(ground: &impl Ground) {
    let net = ground.net();
    set_up(net);
    type Fill = fn(&mut Transaction);
    let parts: [(Fill, i32, &str); 10] = [
        (
            |t| t.del_rule(&chain("one"), 4711),
            2,
            r#"delete rule 4711 of chain "one" of table inet "t""#,
        ),
        (
            |t| t.flush_chain(&chain("no")),
            2,
            r#"flush chain "no" of table inet "t""#,
        ),
        (
            |t| t.del_chain(&chain("no")),
            2,
            r#"delete chain "no" of table inet "t""#,
        ),
        (|t| t.del_table(Family::Ip, "t"), 2, r#"delete table ip "t""#),
        (
            |t| t.add_rule(&chain("no"), &[Expr::Drop], ""),
            2,
            r#"add a rule to chain "no" of table inet "t""#,
        ),
        (
            |t| t.add_rule(&chain("two"), &[Expr::Jump("no".into())], ""),
            2,
            r#"add a rule to chain "two" of table inet "t""#,
        ),
        (
            |t| t.add_chain(&Chain::new(Family::Ip, "t", "x")),
            2,
            r#"add chain "x" of table ip "t""#,
        ),
        (
            |t| t.add_base_chain(&chain("one"), Base::new(ChainType::Filter, Hook::Input, -10)),
            95,
            r#"add chain "one" of table inet "t""#,
        ),
        (
            |t| t.add_base_chain(&chain("one"), Base::new(ChainType::Filter, Hook::Forward, -11)),
            95,
            r#"add chain "one" of table inet "t""#,
        ),
        (
            |t| t.add_base_chain(&chain("two"), Base::new(ChainType::Filter, Hook::Forward, -10)),
            95,
            r#"add chain "two" of table inet "t""#,
        ),
    ];
    for (part, errno, text) in parts {
        let error = apply(net, |t| {
            t.add_rule(&chain("two"), &[Expr::Drop], "undone");
            part(t);
        });
        let error = error.unwrap_err();
        assert_eq!((error.to_string().as_str(), error.errno()), (text, Some(errno)));
        assert_eq!(
            (comments(net, "one"), comments(net, "two")),
            (vec!["jumps".into()], vec!["accepts".into()])
        );
    }
    let error = apply(net, |t| {
        t.add_rule(&chain("two"), &[Expr::Drop], &"x".repeat(129))
    })
    .unwrap_err();
    assert!(matches!(error, cni_net::NetError::Value { .. }), "{error:?}");
}

pub(crate) fn chains_in_use_stay(ground: &impl Ground) {
    let net = ground.net();
    set_up(net);
    let error = apply(net, |t| t.del_chain(&chain("two"))).unwrap_err();
    assert_eq!(error.errno(), Some(16), "{error:?}");
    // With the rule that leads there it goes, its own rules along.
    let handle = net.rules(At::Host, &chain("one")).unwrap()[0].handle;
    apply(net, |t| {
        t.del_rule(&chain("one"), handle);
        t.del_chain(&chain("two"));
    })
    .unwrap();
    assert!(
        apply(net, |t| t.flush_chain(&chain("two")))
            .unwrap_err()
            .is_absent()
    );
    let error = apply(net, |t| {
        t.add_chain(&chain("three"));
        t.add_rule(&chain("three"), &[Expr::Jump("one".into())], "");
    });
    assert_eq!(error.unwrap_err().errno(), Some(95));
}
