use super::*;
use proptest::prelude::*;

/// Each definition as `line kind parent.name`.
fn listed(language: Language, text: &str) -> Vec<String> {
    let found = outline(language, text.as_bytes()).unwrap();
    let name = |definition: &Definition| text[definition.name.start as usize..definition.name.end as usize].to_owned();
    found
        .iter()
        .map(|definition| {
            let parent = definition.parent.map_or(String::new(), |at| name(&found[at as usize]) + ".");
            format!("{} {:?} {parent}{}", definition.line, definition.kind, name(definition))
        })
        .collect()
}

#[test]
fn script() {
    let text = "export class A<T> extends B {\n  #x = f(1);\n  get b() { return f(2); }\n  async c(): Promise<void> {}\n}\n\
        export const d = async (x: {a: 1}) => { const no = 1; };\nconst e = [1];\nfunction* g() {}\ninterface H { i(): void }\n\
        type J = { k: 1 };\ndescribe('l', () => {\n  it.each([1])('no', f);\n  it('m', () => {});\n});\nrx.test('n');\nenum O {}";
    assert_eq!(
        listed(Language::TypeScript, text),
        [
            "1 Class A",
            "3 Method A.b",
            "4 Method A.c",
            "6 Function d",
            "7 Constant e",
            "8 Function g",
            "9 Interface H",
            "10 Type J",
            "11 Test l",
            "13 Test l.m",
            "16 Class O"
        ]
    );
}

#[test]
fn python() {
    let text = "X = 1\nclass A(B):\n    '''def no(): pass'''\n    @c\n    def d(self,\ndef_=1):\n        def e(): pass\n    async def test_f(self): pass\n\
        if X == 1:\n    def g(): pass\n";
    assert_eq!(
        listed(Language::Python, text),
        ["1 Constant X", "2 Class A", "5 Method A.d", "7 Function d.e", "8 Test A.test_f", "10 Function g"]
    );
}

#[test]
fn go() {
    let text = "type A struct{ b int }\ntype C[T any] interface{ D() }\nfunc (a *A) E() { func() {}() }\nfunc F[T any](x T) {}\n\
        func TestG(t *testing.T) {}\nfunc Testing() {}\nconst (\n\tH = iota\n\tI\n)\nvar J = map[string]int{\n\t\"k\": 1,\n}\ntype L = int";
    assert_eq!(
        listed(Language::Go, text),
        [
            "1 Class A",
            "2 Interface C",
            "3 Method E",
            "4 Function F",
            "5 Test TestG",
            "6 Function Testing",
            "8 Constant H",
            "9 Constant I",
            "11 Constant J",
            "14 Type L"
        ]
    );
}

#[test]
fn rust() {
    let text = "pub(crate) const fn a<const N: usize>(x: fn(u8)) {}\nimpl<'a, T> fmt::Display for B<'a, T> where T: X {\n fn c() -> impl D { }\n}\n\
        trait E { fn f(); type G; }\n#[cfg(test)]\nmod tests {\n #[tokio::test]\n async fn h() {}\n fn i() {}\n}\nmacro_rules! j { () => {} }\n\
        static mut K: u8 = 1;\nstruct L;";
    assert_eq!(
        listed(Language::Rust, text),
        [
            "1 Function a",
            "2 Implementation B",
            "3 Method B.c",
            "5 Interface E",
            "5 Method E.f",
            "5 Type E.G",
            "7 Module tests",
            "9 Test tests.h",
            "10 Function tests.i",
            "12 Macro j",
            "13 Constant K",
            "14 Class L"
        ]
    );
}

#[test]
fn java() {
    let text = "public class A<T> {\n  A() { b(); }\n  @Override public List<T> b() { return new C(1); }\n  int x = d(1);\n  @Test void e() {}\n\
        enum F { G(1), H(2); }\n  record I(int j) {}\n}\ninterface K { void l(); }";
    assert_eq!(
        listed(Language::Java, text),
        [
            "1 Class A",
            "2 Method A.A",
            "3 Method A.b",
            "5 Test A.e",
            "6 Class A.F",
            "7 Class A.I",
            "9 Interface K",
            "9 Method K.l"
        ]
    );
}

#[test]
fn a_range_ends_with_the_body() {
    let text = b"fn a() { if x { } }\nfn b() {}";
    assert_eq!(outline(Language::Rust, text).unwrap()[0].range, 0..19);
    let text = b"def a():\n    b\n    c\nd = 1";
    assert_eq!(outline(Language::Python, text).unwrap()[0].range, 0..20);
}

#[test]
fn what_is_behind_a_body_names_nothing_in_it() {
    assert_eq!(listed(Language::Rust, "mod a { impl } B {}"), ["1 Module a"]);
    assert_eq!(listed(Language::Rust, "impl<T> A<[u8; 2]> for B<(T, T)> {}"), ["1 Implementation B"]);
    assert_eq!(listed(Language::Python, "class A:\n  def\nb = 1"), ["1 Class A", "3 Constant b"]);
}

proptest! {
    #[test]
    fn any_text_has_an_outline(language in 0usize..7, pieces in proptest::collection::vec(proptest::sample::select(vec![
        "fn ", "func ", "class ", "def ", "impl ", "type ", "const ", "it('", "x", "(", ")", "{", "}", "[", "]", "<", ">", "\n", " ",
        ";", "=", "'", "#[test]", "@Test ", "function ", "\u{e4}",
    ]), 0..60)) {
        let language = [Language::JavaScript, Language::TypeScript, Language::Tsx, Language::Python, Language::Go, Language::Rust, Language::Java][language];
        let text = pieces.concat();
        let found = outline(language, text.as_bytes()).unwrap();
        for (at, definition) in found.iter().enumerate() {
            prop_assert!(definition.range.start <= definition.name.start && definition.name.end <= definition.range.end);
            let around = definition.parent.map(|parent| &found[..at][parent as usize].range);
            prop_assert!(around.is_none_or(|around| around.start <= definition.range.start && definition.range.end <= around.end));
            let before = &text.as_bytes()[..definition.name.start as usize];
            prop_assert_eq!(definition.line as usize, memchr::memchr_iter(b'\n', before).count() + 1);
        }
    }
}

#[test]
fn bodies_end_on_their_last_lines() {
    let lines = |language, text: &str| -> Vec<_> {
        outline(language, text.as_bytes()).unwrap().iter().map(|found| (found.line, found.last_line)).collect()
    };
    let rust =
        "/// A.\nimpl<T>\n    A<T>\n{\n    fn b() {\n    }\n\n    const C: [u8; 1] =\n        [1];\n}\nstruct D;";
    assert_eq!(lines(Language::Rust, rust), [(3, 10), (5, 6), (8, 8), (11, 11)]);
    assert_eq!(lines(Language::Python, "def a():\n    b()\n\n    c()\n\n\nd = 1\n"), [(1, 4), (7, 7)]);
    assert_eq!(lines(Language::TypeScript, "it('a', () => {\n  b();\n});\nclass C {\n"), [(1, 3), (4, 4)]);
}
