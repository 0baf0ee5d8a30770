//! Work is bounded, whatever the query.

use super::{PLAIN, found, index, regex};
use millwright_core::search::{Index, Matching, Query, Rules, SearchError, everywhere};
use millwright_core::{Budget, Limit};

#[test]
fn regexes_that_explode_when_compiled_are_refused() {
    for pattern in [
        r"\w{5000}",
        "(((((a{100}){100}){100}){100}){100}){100}",
        "((((((((.*){20}){20}){20}){20}){20}){20}){20}){20}",
        "(?i)(k{1,1000}){1,1000}",
        "([^a]{999}|[^b]{999}){99}",
        "a{4294967295}",
        "((a?){1000}){1000}",
    ] {
        assert!(matches!(Query::regex(pattern, PLAIN), Err(SearchError::TooComplex { .. })), "{pattern}");
    }
    let nested = format!("{}a{}", "(".repeat(2000), ")".repeat(2000));
    assert!(matches!(Query::regex(&nested, PLAIN), Err(SearchError::Syntax { .. })));
    // Repeated nothing is nothing.
    assert!(Query::regex("((){4294967295}){4294967295}", PLAIN).is_ok());
    assert!(Query::regex(&["word"; 800].join("|"), PLAIN).is_ok());
}

#[test]
fn regexes_that_explode_when_run_meet_the_budget() {
    let index = index(&[("a", &b"ab".repeat(200_000).chunks(400).collect::<Vec<_>>().join(&b'\n'))]);
    // The DFA of this has 2^500 states.
    for pattern in ["(a|b)*a(a|b){500}c", "(?:[ab]*a[ab]{300}){3}x", "(a*)*c", "(x+x+)+y", "(.*.*.*.*)=z"] {
        let mut budget = Budget::new(20_000_000);
        match index.count(&regex(pattern), &everywhere, &mut budget) {
            Ok(count) => assert_eq!(count.hits, 0, "{pattern}"),
            Err(error) => assert_eq!(error, SearchError::Limit(Limit::Budget { units: 20_000_000 }), "{pattern}"),
        }
    }
    assert_eq!(found(&index, &regex("^ab"), 1), ["a:1:ab"]);
}

#[test]
fn an_automaton_of_ever_new_states_meets_the_budget() {
    let mut state = 1_u64;
    let noise: Vec<u8> = core::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        if state >> 40 & 1 == 0 { b'a' } else { b'b' }
    })
    .take(100_000)
    .collect();
    let index = index(&[("a", &noise.chunks(400).collect::<Vec<_>>().join(&b'\n'))]);
    let count = |budget| index.count(&regex("[ab]*a[ab]{200}"), &everywhere, &mut Budget::new(budget));
    assert_eq!(count(10_000_000), Err(SearchError::Limit(Limit::Budget { units: 10_000_000 })));
}

#[test]
fn work_is_bounded_by_the_budget() {
    let mut index = Index::new(Rules { max_mean_line: u32::MAX, ..Rules::default() }).unwrap();
    index.put(b"a", &[&b"aa ".repeat(1000)[..], b"\n"].concat().repeat(10)).unwrap();
    let spent = |query: &Query| {
        let mut budget = Budget::new(1 << 40);
        let hits = index.count(query, &everywhere, &mut budget).unwrap().hits;
        (hits, (1 << 40) - budget.left())
    };
    let whole_words = |literal: &[u8]| Query::literal(literal, Matching { any_case: false, word: true }).unwrap();
    // A literal is much cheaper than its bytes, an automaton is about as dear.
    let (hits, units) = spent(&Query::literal(b"zzz", PLAIN).unwrap());
    assert!(hits == 0 && units < 10, "{units}");
    let (hits, units) = spent(&Query::literal(b"zz", PLAIN).unwrap());
    assert!(hits == 0 && (1_800..2_500).contains(&units), "{units}");
    let (hits, units) = spent(&regex("[y-z]"));
    assert!(hits == 0 && (30_000..31_000).contains(&units), "{units}");
    // Each match makes the automaton look for the end of a longer alternative up to the end of the line.
    let (hits, units) = spent(&regex("a[^b]*b|a"));
    assert!(hits == 20_000 && units > 20_000 * 1_500, "{units}");
    // Each occurrence is within a word, and the next is looked for within it.
    let (hits, units) = spent(&whole_words(&[&b"a "[..], &b"aa ".repeat(500)[..]].concat()));
    assert!(hits == 0 && units > 500 * 1_500 / 16 * 10, "{units}");
}
