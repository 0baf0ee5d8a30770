//! What a rule asks of bytes that have its shape.

use super::{allow, checksum, entropy};

/// The check of a rule beyond its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Validator {
    None,
    Base62Crc,
    Base36Crc,
    HexCrc,
    Bech32,
    Jwt,
    Pem,
    OpenAi,
    Basic,
    Password,
    Keyed,
    Assignment,
}

/// What a validator says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A checksum proves it.
    Proven,
    /// It may be a secret as well as it may be a placeholder.
    Plausible,
    /// A check failed. Formats change, so that it is told all the same.
    Suspect,
    /// No secret.
    Harmless,
}

/// A match as a validator sees it.
pub(super) struct Found<'a> {
    /// All of the secret, or of an endless one what was asked for.
    pub(super) secret: &'a [u8],
    /// How many bytes of the secret are the rule's keyword.
    pub(super) keyword_len: usize,
    /// The word around the keyword up to the secret, and where in it the keyword begins.
    pub(super) key: &'a [u8],
    pub(super) keyword_at: usize,
    /// What stands behind the secret, as far as it is at hand: it tells no more than how sure a finding is.
    pub(super) behind: &'a [u8],
    pub(super) min_centibits: u32,
}

impl Validator {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "-" => Self::None,
            "crc-base62" => Self::Base62Crc,
            "crc-base36" => Self::Base36Crc,
            "crc-hex" => Self::HexCrc,
            "bech32" => Self::Bech32,
            "jwt" => Self::Jwt,
            "pem" => Self::Pem,
            "openai" => Self::OpenAi,
            "basic" => Self::Basic,
            "password" => Self::Password,
            "keyed" => Self::Keyed,
            "assignment" => Self::Assignment,
            _ => return None,
        })
    }

    pub(super) fn judge(self, found: &Found) -> Verdict {
        let body = found.secret.get(found.keyword_len..).unwrap_or_default();
        if found.min_centibits > 0 && entropy::centibits(body) < self.min_entropy(body, found.min_centibits) {
            return Verdict::Harmless;
        }
        let proven = |fits: bool| if fits { Verdict::Proven } else { Verdict::Suspect };
        let plausible = |fits: bool| if fits { Verdict::Plausible } else { Verdict::Suspect };
        let verdict = match self {
            Self::Keyed if allow::is_public_key(found.key, found.keyword_at) => Verdict::Harmless,
            Self::None | Self::Keyed => Verdict::Plausible,
            // Bodies of keys are full of whatever letters, and what may be one is masked before it is known.
            Self::Pem => return Verdict::Plausible,
            Self::Base62Crc => proven(checksum::base62_crc_fits(found.secret)),
            Self::Base36Crc => proven(checksum::base36_crc_fits(found.secret)),
            Self::HexCrc => proven(checksum::hex_crc_fits(found.secret)),
            Self::Bech32 => proven(checksum::bech32_fits(found.secret)),
            Self::Jwt => jwt(found.secret),
            Self::OpenAi => plausible(memchr::memmem::find(body, b"T3BlbkFJ").is_some()),
            Self::Basic => basic(found.secret),
            Self::Password if allow::is_common_password(body) => Verdict::Harmless,
            Self::Password => plausible(!allow::is_weak_password(body) && !allow::is_near_host(found.behind)),
            Self::Assignment => assignment(found, body),
        };
        if matches!(verdict, Verdict::Plausible | Verdict::Suspect) && allow::is_placeholder(body) {
            return Verdict::Harmless;
        }
        verdict
    }

    /// An assigned value of sixteen letters can not be as random as a long one, and no value of hexadecimal digits.
    fn min_entropy(self, value: &[u8], centibits: u32) -> u32 {
        let is_poor = value.len() < 20 || value.iter().all(u8::is_ascii_hexdigit);
        if self == Self::Assignment && is_poor { centibits.saturating_sub(50) } else { centibits }
    }
}

fn assignment(found: &Found, value: &[u8]) -> Verdict {
    let is_quoted = matches!(found.key.last(), Some(b'"' | b'\'' | b'`'));
    if allow::is_harmless_key(found.key, found.keyword_at) || allow::is_harmless_value(value, is_quoted) {
        return Verdict::Harmless;
    }
    if allow::is_digest(value) { Verdict::Suspect } else { Verdict::Plausible }
}

fn jwt(token: &[u8]) -> Verdict {
    let mut parts = token.split(|byte| *byte == b'.').map(checksum::base64_decoded);
    let (header, payload) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    // The token of jwt.io and of all that was learnt there.
    if memchr::memmem::find(&payload, b"\"1234567890\"").is_some() {
        return Verdict::Harmless;
    }
    if memchr::memmem::find(&header, b"\"alg\"").is_some() { Verdict::Plausible } else { Verdict::Suspect }
}

fn basic(text: &[u8]) -> Verdict {
    let decoded = checksum::base64_decoded(text);
    let Some(colon) = decoded.iter().position(|byte| *byte == b':') else { return Verdict::Harmless };
    let password = decoded.get(colon + 1..).unwrap_or_default();
    let is_text = decoded.iter().all(|byte| (0x20..0x7f).contains(byte));
    if !is_text || password.is_empty() || allow::is_common_password(password) {
        return Verdict::Harmless;
    }
    if allow::is_weak_password(password) { Verdict::Suspect } else { Verdict::Plausible }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(validator: Validator, secret: &str) -> Verdict {
        validator.judge(&Found {
            secret: secret.as_bytes(),
            keyword_len: 0,
            key: b"token",
            keyword_at: 0,
            behind: b"",
            min_centibits: 250,
        })
    }

    #[test]
    fn placeholders_and_poor_texts_are_harmless() {
        assert_eq!(judge(Validator::None, "q7Gx2kP9vLm4"), Verdict::Plausible);
        assert_eq!(judge(Validator::None, "your_token_here"), Verdict::Harmless);
        assert_eq!(judge(Validator::None, "aaaaaaaaaaaaaaab"), Verdict::Harmless);
        assert_eq!(judge(Validator::Base62Crc, "q7Gx2kP9vLm4"), Verdict::Suspect);
    }

    #[test]
    fn headers() {
        let encoded = |text: &str| super::super::encode::base64(text.as_bytes(), true);
        let token = |header: &str, payload: &str| {
            format!("{}.{}.", String::from_utf8(encoded(header)).unwrap(), String::from_utf8(encoded(payload)).unwrap())
        };
        assert_eq!(judge(Validator::Jwt, &token(r#"{"alg":"HS256"}"#, r#"{"sub":"ada"}"#)), Verdict::Plausible);
        assert_eq!(judge(Validator::Jwt, &token(r#"{"v":1}"#, r#"{"sub":"ada"}"#)), Verdict::Suspect);
        assert_eq!(judge(Validator::Jwt, &token(r#"{"alg":"HS256"}"#, r#"{"sub":"1234567890"}"#)), Verdict::Harmless);
        let basic = |text: &str| judge(Validator::Basic, &String::from_utf8(encoded(text)).unwrap());
        assert_eq!(basic("ada:s3cr-t-9x"), Verdict::Plausible);
        assert_eq!(basic("CLIENT_ID:CLIENT_SECRET"), Verdict::Suspect);
        assert_eq!(basic("ada:password"), Verdict::Harmless);
        assert_eq!(basic("just some words"), Verdict::Harmless);
    }
}
