//! What people may write of themselves.

use std::ops::RangeInclusive;

/// How many characters a given or a family name has.
pub const NAME: RangeInclusive<usize> = 1..=100;
/// How many characters a password has.
pub const PASSWORD: RangeInclusive<usize> = 10..=128;
/// The longest address that SMTP can carry.
const MAX_EMAIL: usize = 254;

/// 3–32 of letters, digits, `.` and `-`; not of `.` and `-` alone, which count for nothing.
pub fn is_document(text: &str) -> bool {
    let shaped = text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
    let counts = text.bytes().any(|b| b.is_ascii_alphanumeric());
    shaped && counts && (3..=32).contains(&text.len())
}

/// Whether mail reaches somebody only a mail can tell; this refuses what certainly is no address.
pub fn is_email(text: &str) -> bool {
    let valid = text.split_once('@').is_some_and(|(local, domain)| {
        let strange = |c: char| c.is_whitespace() || c.is_control() || "@<>()[],;:\\\"".contains(c);
        let label = |label: &str| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-');
        (1..=64).contains(&local.len())
            && local.split('.').all(|part| !part.is_empty())
            && !text.replacen('@', "", 1).contains(strange)
            && domain.contains('.')
            && domain.split('.').all(label)
    });
    valid && text.len() <= MAX_EMAIL
}
