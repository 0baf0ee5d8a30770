//! What the matchers of the frameworks demand, by their names in lower case without `_`, and without `assert`, `to`, `is` and the like before.

use super::rank::Rank;

/// Matchers that demand the value.
#[rustfmt::skip] // One name a line would be four screens.
const EXACT: &[&str] = &[
    "anycall", "arrayequal", "arrayequals", "assert", "attribute", "be", "beencalledexactlyoncewith",
    "beencalledonce", "beencalledtimes", "beencalledwith", "beenlastcalledwith", "beennthcalledwith", "calledonce",
    "calledoncewith", "calledtimes", "calledwith", "containsexactly", "containsexactlyelementsof",
    "containsexactlyinanyorder", "count", "countequal", "deepequal", "deepequals", "deepstrictequal", "dictequal",
    "elementsmatch", "empty", "eq", "eqerr", "eql", "equal", "equalerror", "equals", "equalto", "equalvalues",
    "exactly", "hascalls", "haslength", "hasmessage", "hasreturnedwith", "hassize", "hastext", "have",
    "inlinesnapshot", "is", "iterableequals", "jsoneq", "lastcalledwith", "len", "length", "lengthof", "linesmatch",
    "listequal", "matchinlinesnapshot", "matchobject", "multilineequal", "nan", "nil", "none", "notcalled",
    "nthcalledwith", "null", "returnedwith", "same", "sameas", "sameinstance", "sequenceequal", "setequal", "should",
    "size", "strictdeepequal", "strictequal", "text", "throwerrormatchinginlinesnapshot", "title", "to", "tupleequal",
    "undefined", "url", "value", "yamleq", "zero",
];

/// Matchers that demand a number with a tolerance.
#[rustfmt::skip] // One name a line would be four screens.
const NEAR: &[&str] = &[
    "allclose", "almostequal", "almostequals", "approximately", "arrayalmostequal", "closeto", "equalwithdelta",
    "equalwithin", "indelta", "inepsilon", "withinduration", "withinrange",
];

/// Matchers that demand a part or a bound of the value, or a failure.
#[rustfmt::skip] // One name a line would be four screens.
const PARTIAL: &[&str] = &[
    "a", "above", "an", "atleast", "atmost", "below", "between", "contain", "containequal", "contains", "containskey",
    "containstext", "containtext", "doesnotcontain", "endswith", "endwith", "erroras", "errorcontains", "erroris",
    "greater", "greaterequal", "greaterorequal", "greaterthan", "greaterthanorequal", "greaterthanorequalto",
    "hasfieldorproperty", "hasitem", "hasitems", "hasmessagecontaining", "hasproperty", "implements", "in", "include",
    "includes", "instance", "instanceof", "key", "keys", "least", "less", "lessequal", "lessorequal", "lessthan",
    "lessthanorequal", "lessthanorequalto", "match", "matches", "matchsnapshot", "members", "most", "ne", "negative",
    "neq", "notcontain", "notcontains", "notdeepequal", "notequal", "notequals", "notequalto", "notin",
    "notstrictequal", "oneof", "panics", "panicswitherror", "panicswithvalue", "positive", "property", "raise",
    "raises", "raisesregex", "regex", "regexp", "rejects", "satisfies", "satisfy", "snapshot", "startswith",
    "startwith", "stringcontaining", "stringmatching", "subset", "throw", "throwerror", "throwerrormatchingsnapshot",
    "thrownby", "throws", "throwsexactly", "type", "typeof", "warns", "within",
];

/// Matchers that demand that something is there, true, or does not fail.
#[rustfmt::skip] // One name a line would be four screens.
const SMOKE: &[&str] = &[
    "anything", "attached", "beencalled", "called", "defined", "doesnotreject", "doesnotthrow", "err", "error",
    "exist", "exists", "fail", "false", "falsy", "hasoccurred", "haveoccurred", "iferror", "inthedocument", "isnot",
    "noerror", "not", "notempty", "notnil", "notnone", "notnull", "notpanics", "notsame", "notthrow", "notthrows",
    "notundefined", "notzero", "ok", "present", "some", "succeed", "true", "truthy", "visible",
];

/// The rank of a matcher by its normal name, `None` when it is not known.
pub(super) fn rank(name: &[u8]) -> Option<Rank> {
    let prefixes: [&[u8]; 6] = [b"assert", b"to", b"should", b"is", b"be", b"have"];
    let name = prefixes
        .iter()
        .fold(name, |name, prefix| name.strip_prefix(*prefix).filter(|rest| rest.len() > 1).unwrap_or(name));
    let tables = [(EXACT, Rank::Exact), (NEAR, Rank::Near), (PARTIAL, Rank::Partial), (SMOKE, Rank::Smoke)];
    let found =
        tables.into_iter().find(|(names, _)| names.binary_search_by(|other| other.as_bytes().cmp(name)).is_ok());
    found.map(|(_, rank)| rank)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_in_order_and_disjoint() {
        let mut all: Vec<&str> = Vec::new();
        for table in [EXACT, NEAR, PARTIAL, SMOKE] {
            assert!(table.is_sorted());
            all.extend(table);
        }
        all.sort_unstable();
        assert!(all.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn prefixes_do_not_matter() {
        assert_eq!(rank(b"tobe"), Some(Rank::Exact));
        assert_eq!(rank(b"assertisnotnone"), Some(Rank::Smoke));
        assert_eq!(rank(b"tobegreaterthan"), Some(Rank::Partial));
        assert_eq!(rank(b"frobnicate"), None);
    }
}
