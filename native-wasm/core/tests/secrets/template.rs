//! Expands the examples of the rules, which are templates so that the repository holds nothing that looks like a secret.

use std::fmt::Write as _;

/// Random numbers that are the same in each run (splitmix64).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub fn of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    fn text(&mut self, alphabet: &str, len: usize) -> String {
        (0..len).map(|_| char::from(*self.of(alphabet.as_bytes()))).collect()
    }
}

/// A rule file's line, as far as tests need it.
pub struct Rule {
    pub id: String,
    pub is_redact_only: bool,
    pub positive: String,
    pub negative: String,
}

pub fn rules() -> Vec<Rule> {
    let file = include_str!("../../rules/secrets.tsv");
    let lines = file.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            Rule {
                id: columns[0].to_owned(),
                is_redact_only: columns[1] == "redact",
                positive: columns[7].to_owned(),
                negative: columns[8].to_owned(),
            }
        })
        .collect()
}

/// An example and where the secret is in it.
pub struct Example {
    pub text: String,
    pub secret: std::ops::Range<usize>,
}

const DIGITS: &str = "0123456789";
const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

pub fn expand(template: &str, random: &mut Random) -> Example {
    let mut text = String::new();
    let (mut secret, mut mark) = (0..0, 0);
    let mut rest = template;
    while let Some(first) = rest.chars().next() {
        let inside = rest.strip_prefix('{').and_then(|inner| inner.split_once('}')).filter(|(name, _)| is_field(name));
        if let Some((name, more)) = inside {
            rest = more;
            if name == "start" {
                mark = text.len();
            } else {
                let value = field(name, &text[mark..], random);
                text.push_str(&value);
            }
            continue;
        }
        rest = &rest[first.len_utf8()..];
        match first {
            '‹' => secret.start = text.len(),
            '›' => secret.end = text.len(),
            other => text.push(other),
        }
    }
    Example { text, secret }
}

fn is_field(name: &str) -> bool {
    let class = name.split_once(':').map(|(class, _)| class);
    matches!(name, "start" | "nl" | "uuid" | "jwt" | "basic" | "crc62" | "crc36" | "crchex")
        || matches!(
            class,
            Some("b62" | "b64" | "b64u" | "b36" | "B36" | "b32" | "hex" | "lhex" | "digit" | "pem" | "bech32")
        )
}

fn field(name: &str, marked: &str, random: &mut Random) -> String {
    match name {
        "nl" => "\n".to_owned(),
        "uuid" => {
            let parts = [8, 4, 4, 4, 12].map(|len| random.text(&format!("{DIGITS}abcdef"), len));
            parts.join("-")
        }
        "jwt" => {
            let header = base64_url(r#"{"alg":"HS256","typ":"JWT"}"#);
            let payload = base64_url(&format!(r#"{{"sub":"{}"}}"#, random.text(LOWER, 12)));
            format!("{header}.{payload}.{}", random.text(&format!("{DIGITS}{LOWER}{UPPER}_-"), 43))
        }
        "basic" => base64_url(&format!("ada:{}", random.text(&format!("{DIGITS}{LOWER}{UPPER}"), 14))),
        "crc62" => in_base(crc32(marked.as_bytes()), &format!("{DIGITS}{UPPER}{LOWER}"), 6),
        "crc36" => in_base(crc32(marked.as_bytes()), &format!("{DIGITS}{LOWER}"), 7),
        "crchex" => format!("_{:08x}", crc32(marked.as_bytes()).swap_bytes()),
        _ => {
            let (class, argument) = name.split_once(':').unwrap();
            match class {
                "pem" => pem(argument, random),
                "bech32" => bech32(argument, random),
                _ => random.text(&alphabet(class), argument.parse().unwrap()),
            }
        }
    }
}

fn alphabet(class: &str) -> String {
    match class {
        "b62" => format!("{DIGITS}{LOWER}{UPPER}"),
        "b64" => format!("{DIGITS}{LOWER}{UPPER}+/"),
        "b64u" => format!("{DIGITS}{LOWER}{UPPER}_-"),
        "b36" => format!("{DIGITS}{LOWER}"),
        "B36" => format!("{DIGITS}{UPPER}"),
        "b32" => format!("234567{UPPER}"),
        "hex" => format!("{DIGITS}ABCDEF"),
        "lhex" => format!("{DIGITS}abcdef"),
        "digit" => DIGITS.to_owned(),
        _ => panic!("no class {class}"),
    }
}

/// A key's armour around random bytes that begin as keys of that kind do.
fn pem(label: &str, random: &mut Random) -> String {
    let first = if label.starts_with("PGP") { "lQOY" } else { "MIIE" };
    let body = format!("{first}{}", random.text(&alphabet("b64"), 1600));
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in body.as_bytes().chunks(64) {
        writeln!(text, "{}", std::str::from_utf8(line).unwrap()).unwrap();
    }
    text + &format!("-----END {label}-----")
}

/// Independent of the core's: bit by bit over the message with 32 zero bits behind it.
fn crc32(bytes: &[u8]) -> u32 {
    let mut register = 0u64;
    let mut bits: Vec<u64> = bytes.iter().flat_map(|byte| (0..8).map(move |bit| u64::from(byte >> bit & 1))).collect();
    bits.extend([0; 32]);
    for (at, bit) in bits.iter().enumerate() {
        let bit = if at < 32 { bit ^ 1 } else { *bit };
        register = register << 1 | bit;
        if register >> 32 & 1 == 1 {
            register ^= 0x1_04c1_1db7;
        }
    }
    !(register as u32).reverse_bits()
}

fn in_base(mut number: u32, alphabet: &str, len: usize) -> String {
    let base = alphabet.len() as u32;
    let mut digits = vec![b'0'; len];
    for digit in digits.iter_mut().rev() {
        *digit = alphabet.as_bytes()[(number % base) as usize];
        number /= base;
    }
    String::from_utf8(digits).unwrap()
}

fn base64_url(text: &str) -> String {
    let alphabet = format!("{UPPER}{LOWER}{DIGITS}-_");
    let bits: Vec<u8> = text.bytes().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    let six =
        bits.chunks(6).map(|chunk| chunk.iter().fold(0, |sum, bit| sum << 1 | usize::from(*bit)) << (6 - chunk.len()));
    six.map(|value| char::from(alphabet.as_bytes()[value])).collect()
}

/// A bech32 string of 52 random letters: the checksum is the one of 2^30 that fits, found as in BIP 173.
fn bech32(prefix: &str, random: &mut Random) -> String {
    const LETTERS: &str = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L";
    let polymod = |values: &[u32]| {
        let mut sum = 1u32;
        for value in values {
            let top = sum >> 25;
            sum = (sum & 0x1ff_ffff) << 5 ^ value;
            for (at, one) in [0x3b6a_57b2u32, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3].iter().enumerate() {
                if top >> at & 1 == 1 {
                    sum ^= one;
                }
            }
        }
        sum
    };
    let data: Vec<u32> = (0..52).map(|_| random.below(32) as u32).collect();
    let lower = prefix.to_ascii_lowercase();
    let mut values: Vec<u32> = lower.bytes().map(|byte| u32::from(byte >> 5)).collect();
    values.push(0);
    values.extend(lower.bytes().map(|byte| u32::from(byte & 31)));
    values.extend(&data);
    values.extend([0; 6]);
    let sum = polymod(&values) ^ 1;
    let letters = data.into_iter().chain((0..6).map(|at| sum >> (5 * (5 - at)) & 31));
    format!("{prefix}1{}", letters.map(|value| char::from(LETTERS.as_bytes()[value as usize])).collect::<String>())
}
