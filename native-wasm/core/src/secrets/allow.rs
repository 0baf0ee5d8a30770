//! What looks like a secret and is none: placeholders, documented examples, hashes, names of things.

/// Words that people write where a secret belongs. In a random token they do not happen.
const PLACEHOLDERS: &str = "example placeholder changeme change-me change_me your- your_ yourtoken yourkey yourpassword xxxxx ***** \
    ..... redacted dummy insert replace 000000 12345678 abcdefg foobar deadbeef notasecret not-a-secret \
    fakefake mysecret my-secret my_secret sesame";

/// Passwords that protect nothing: of containers on a developer's machine, of documentation.
const COMMON_PASSWORDS: &str = "admin bar default foo guest hunter2 mysql pass passwd password postgres pwd pw root secret test testing \
    token user username key api_key apikey mongo redis rabbitmq minio";

/// Words of a key whose value is a hash, or public.
const HASHES: &str = "sha sha1 sha256 sha384 sha512 md5 hash hashes digest checksum integrity fingerprint public pubkey commit \
    revision etag crc signature sitekey thumbprint";

/// Words behind a keyword that make the value a name or an address of a secret, not the secret.
const NAMES: &str = "id ids name names ref refs path file dir folder uri url endpoint host type kind arn version label field \
    header prefix suffix class selector regex pattern format length len count limit expiry ttl error message \
    description title index cursor policy scope issuer example \
    ts js mjs cjs tsx jsx go py rs rb java md json yaml yml toml html css";

/// Words behind the name of a provider that make the value one that its pages show to everyone, unless the key calls it a secret.
const PUBLIC: &str = "org organization organisation team portal form pipeline site";
const SECRETS: &str = "key keys token tokens secret secrets auth password pass pat credential credentials";

/// Files that are made of hashes. Assignments in them are no secrets.
const LOCK_FILES: &str = "package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml bun.lock cargo.lock go.sum go.work.sum \
    poetry.lock uv.lock pipfile.lock composer.lock gemfile.lock packages.lock.json flake.lock pubspec.lock \
    mix.lock gradle.lockfile";

/// Folders and parts of file names of what is made for tests and documents.
const FIXTURES: &str = "test tests testdata __tests__ spec specs fixture fixtures __fixtures__ mock mocks __mocks__ example \
    examples sample samples docs doc e2e md mdx markdown rst adoc";

/// Comments by which a line says that its secret is none, ours and those that are in use.
const COMMENTS: &[&[u8]] =
    &[b"millwright:allow-secret", b"gitleaks:allow", b"pragma: allowlist secret", b"nosec", b"trufflehog:ignore"];

/// Whether a word, in whatever case, is one of a list with a space between them.
fn is_one_of(list: &str, word: &[u8]) -> bool {
    list.split(' ').any(|one| one.as_bytes().eq_ignore_ascii_case(word))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(text, part).is_some()
}

pub(super) fn is_placeholder(secret: &[u8]) -> bool {
    let lower = secret.to_ascii_lowercase();
    PLACEHOLDERS.split(' ').any(|word| contains(&lower, word.as_bytes()))
}

/// Whether the password of a URL or header is a template or one that everyone knows.
pub(super) fn is_common_password(password: &[u8]) -> bool {
    let is_template =
        matches!(password, [b'$' | b'<' | b'{' | b'[', ..] | [b'%', b's' | b'v' | b'q', ..] | [b'%', .., b'%'])
            || contains(password, b"${")
            || contains(password, b"$(");
    let is_repeated = password.first().is_some_and(|first| password.iter().all(|byte| byte == first));
    is_template || is_repeated || is_one_of(COMMON_PASSWORDS, password) || is_placeholder(password)
}

/// The words of a key: `fooBar_baz-1` is foo, Bar, baz, 1.
fn words(key: &[u8]) -> impl Iterator<Item = &[u8]> {
    key.split(|byte| !byte.is_ascii_alphanumeric())
        .flat_map(|part| part.chunk_by(|a, b| !(a.is_ascii_lowercase() && b.is_ascii_uppercase())))
}

fn has_word(key: &[u8], list: &str) -> bool {
    words(key).any(|word| is_one_of(list, word))
}

/// Whether a key says that its value is no secret; `keyword_at` is where in it the rule's keyword begins.
pub(super) fn is_harmless_key(key: &[u8], keyword_at: usize) -> bool {
    has_word(key, HASHES) || key.get(keyword_at..).is_some_and(|rest| has_word(rest, NAMES))
}

/// Whether a key with the name of a provider in it says that its value is no secret.
pub(super) fn is_public_key(key: &[u8], keyword_at: usize) -> bool {
    is_harmless_key(key, keyword_at) || has_word(key, PUBLIC) && !has_word(key, SECRETS)
}

/// Whether what stands behind the password of a URL is a host that nobody else can reach, or that is nobody's.
pub(super) fn is_near_host(behind: &[u8]) -> bool {
    let Some(authority) = behind.strip_prefix(b"@") else { return false };
    let end = authority.iter().position(|byte| !(byte.is_ascii_alphanumeric() || b"-._[".contains(byte)));
    // Where the text ends here there may be more of it.
    let Some(host) = end.and_then(|end| authority.get(..end)) else { return false };
    let host = host.to_ascii_lowercase();
    let mut labels = host.rsplit(|byte| *byte == b'.');
    let (last, before) = (labels.next().unwrap_or_default(), labels.next());
    // A single name is that of a container beside it.
    before.is_none()
        || host.starts_with(b"127.")
        || host == b"0.0.0.0"
        || [&b"local"[..], b"localhost", b"test", b"invalid", b"example"].contains(&last)
        || before == Some(b"example") && [&b"com"[..], b"org", b"net"].contains(&last)
}

/// Whether a value is a name, a path, a hash or a number of a thing rather than random.
pub(super) fn is_harmless_value(value: &[u8], is_quoted: bool) -> bool {
    let has = |test: fn(&u8) -> bool| value.iter().any(test);
    let is_path = matches!(value, [b'/' | b'~', ..] | [b'.', b'.' | b'/', ..])
        || value.starts_with(b"http")
        || contains(value, b"//");
    let is_hash =
        [&b"sha1-"[..], b"sha256-", b"sha384-", b"sha512-", b"h1:"].iter().any(|prefix| value.starts_with(prefix));
    // Without quotes, it may be the name of a thing in the code.
    let min_changes = if is_quoted { 3 } else { 4 };
    !has(u8::is_ascii_digit)
        || !has(u8::is_ascii_alphabetic)
        || is_path
        || is_hash
        || is_uuid(value)
        || !is_jumbled(value, min_changes)
}

/// Whether a value has the length of an MD5, SHA-1 or SHA-256 in hexadecimal digits.
pub(super) fn is_digest(value: &[u8]) -> bool {
    matches!(value.len(), 32 | 40 | 64) && value.iter().all(u8::is_ascii_hexdigit)
}

/// Whether a password is a word, as in examples, or hardly one.
pub(super) fn is_weak_password(password: &[u8]) -> bool {
    let is_word = password.iter().skip(1).all(u8::is_ascii_lowercase);
    password.len() < 6 || is_word || contains(&password.to_ascii_lowercase(), b"secre")
}

fn is_uuid(value: &[u8]) -> bool {
    let lens = value.split(|byte| *byte == b'-').map(<[u8]>::len);
    value.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-') && lens.eq([8, 4, 4, 4, 12])
}

/// Whether letters, digits and marks, and capitals but for those that begin a word, change as often as in random text.
fn is_jumbled(value: &[u8], min_changes: usize) -> bool {
    let kind = |byte: &u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' => 1,
        b'0'..=b'9' => 2,
        b'!' | b'@' | b'#' | b'$' | b'%' | b'^' | b'*' | b'?' => 3,
        // What is between words of names.
        _ => 0,
    };
    let changes = value.array_windows::<3>().filter(|[a, b, c]| {
        let is_capital = a.is_ascii_lowercase() && b.is_ascii_uppercase() && !c.is_ascii_lowercase();
        is_capital || (kind(a) != kind(b) && kind(a) * kind(b) != 0)
    });
    let count = changes.count();
    count >= min_changes && count * 100 >= value.len() * 12
}

/// The part of a path behind its last slash.
fn file_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

pub(super) fn is_lock_file(path: &[u8]) -> bool {
    is_one_of(LOCK_FILES, file_name(path))
}

/// Whether a path says that a file is for tests or documents.
pub(super) fn is_fixture(path: &[u8]) -> bool {
    let folders = path.rsplit(|byte| *byte == b'/').skip(1);
    let parts = file_name(path).split(|byte| matches!(byte, b'.' | b'_' | b'-'));
    folders.chain(parts).any(|part| is_one_of(FIXTURES, part))
}

/// Whether a line holds a comment that allows its secrets.
pub(super) fn has_comment(line: &[u8]) -> bool {
    COMMENTS.iter().any(|comment| contains(line, comment))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_by_their_words() {
        for (key, harmless) in [
            ("api_key", false),
            ("provider_secret", false),
            ("tokenId", true),
            ("secret_name", true),
            ("md5_token", true),
            ("publicKeyToken", true),
            ("idToken", false),
        ] {
            let at = ["key", "secret", "token", "Token", "Key"].iter().filter_map(|word| key.find(word)).min().unwrap();
            assert_eq!(is_harmless_key(key.as_bytes(), at), harmless, "{key}");
        }
    }

    #[test]
    fn keys_of_providers() {
        for (key, public) in [
            ("hubspotFormId", true),
            ("snyk_org", true),
            ("heroku_pipeline_id", true),
            ("twilioTemplateMd5", true),
            ("SNYK_ORG_TOKEN", false),
            ("HEROKU_API_KEY", false),
            ("datadog", false),
        ] {
            assert_eq!(is_public_key(key.as_bytes(), 0), public, "{key}");
        }
    }

    #[test]
    fn hosts_that_are_near() {
        for host in ["localhost:5432", "db/", "127.0.0.1:1", "[::1]:5", "api.example.com/", "x.test\"", "a.local/"] {
            assert!(is_near_host(format!("@{host}").as_bytes()), "{host}");
        }
        for host in ["db.internal:5432", "example.com.evil.io/", "10.0.0.7/", "git.acme.com", ""] {
            assert!(!is_near_host(format!("@{host}").as_bytes()), "{host}");
        }
    }

    #[test]
    fn values_that_are_names() {
        for value in [
            "my-service-account-2024-prod",
            "getSecretTokenValue2",
            "123e4567-e89b-12d3-a456-426614174000",
            "sha512-x1X2x3X4x5X6x7X8",
            "/etc/ssl/private/key1.pem",
            "onlylettersandnodigits",
            "20240101120000123456",
        ] {
            assert!(is_harmless_value(value.as_bytes(), true), "{value}");
        }
        for value in [&b"q7Gx2kP9vLm4Zt8R"[..], b"9f86d081884c7d65"] {
            assert!(!is_harmless_value(value, false));
        }
        assert!(is_harmless_value(b"Chacha20Poly1305", false));
        assert!(is_digest(&[b'a'; 40]) && !is_digest(&[b'a'; 41]) && !is_digest(&[b'g'; 40]));
    }

    #[test]
    fn paths() {
        assert!(is_fixture(b"src/__tests__/a.ts") && is_fixture(b"a/redact.test.ts") && is_fixture(b"pkg/x_test.go"));
        assert!(is_fixture(b"README.md") && is_fixture(b"guide/setup.rst"));
        assert!(!is_fixture(b"src/latest.ts") && !is_fixture(b"contest/a.ts"));
        assert!(is_lock_file(b"web/package-lock.json") && is_lock_file(b"Cargo.lock"));
        assert!(!is_lock_file(b"package.json"));
    }

    #[test]
    fn passwords_that_everyone_knows() {
        for password in ["${DB_PASSWORD}", "postgres", "Password", "aaaa", "<password>", "%s", "changeme123"] {
            assert!(is_common_password(password.as_bytes()), "{password}");
        }
        assert!(!is_common_password(b"s3cret-9"));
        for password in ["s3c-9", "Somepassword", "CLIENT_SECRET"] {
            assert!(is_weak_password(password.as_bytes()), "{password}");
        }
        assert!(!is_weak_password(b"UILbRYjr") && !is_weak_password(b"s3cr-t-9"));
    }
}
