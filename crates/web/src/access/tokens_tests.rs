#![allow(clippy::unwrap_used)]
use super::*;
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp(1_800_000_123_456);
const ANA: UserId = UserId(Uuid::from_u128(1));
const SESSION: SessionId = SessionId(Uuid::from_u128(2));

fn tokens(secret: u8) -> Tokens {
    let keys = move |epoch: u64| {
        let mut key = [secret; 32];
        key[..8].copy_from_slice(&epoch.to_be_bytes());
        key
    };
    Tokens::new(Arc::new(keys), Arc::new(|| NOW))
}

fn issued(at: Timestamp) -> String {
    tokens(7).issue(ANA, SESSION, &RoleSet::from([Role::Organiser]), at, 900)
}

fn refused(token: &str) -> bool {
    match tokens(7).verify(token, NOW) {
        Ok(_) => false,
        Err(problem) => problem.code() == Code::Unauthenticated,
    }
}

/// A token with this header and the body of a good one, signed with the right key, as HS256 would.
fn with_header(header: &Value) -> String {
    let good = issued(NOW);
    let body = good.split('.').nth(1).unwrap();
    let mut token = format!("{}.{body}", encoded(header));
    let signature = tokens(7)
        .signed(epoch(NOW), token.as_bytes())
        .finalize()
        .into_bytes();
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    token
}

#[test]
fn a_token_says_who_since_when_and_what_they_may_be() {
    let claims = tokens(7).verify(&issued(NOW), NOW).unwrap();
    assert_eq!(
        claims,
        Claims {
            user_id: ANA,
            session: SESSION,
            roles: RoleSet::from([Role::Customer, Role::Organiser]),
            issued_at: NOW,
            expires_at: Timestamp(1_800_001_023_000),
        }
    );
}

#[test]
fn the_parts_of_a_token_are_what_rfc_7519_says() {
    let token = issued(NOW);
    let part = |index| -> Value { decoded(token.split('.').nth(index).unwrap()).unwrap() };
    assert_eq!(
        part(0),
        json!({"alg": "HS256", "typ": "JWT", "kid": epoch(NOW).to_string()})
    );
    assert_eq!(
        part(1),
        json!({"sub": ANA, "sid": SESSION, "roles": ["cliente", "organizador"],
            "iat": 1_800_000_123, "exp": 1_800_001_023, "iat_ms": 1_800_000_123_456_i64})
    );
}

#[test]
fn the_signature_is_the_one_that_others_compute() {
    // As Python's `hmac.new(key, text, hashlib.sha256)` says.
    let tokens = Tokens::new(
        Arc::new(|_| *b"0123456789abcdef0123456789abcdef"),
        Arc::new(|| NOW),
    );
    let mac = tokens
        .signed(0, b"eyJhbGciOiJIUzI1NiJ9.e30")
        .finalize()
        .into_bytes();
    assert_eq!(
        URL_SAFE_NO_PAD.encode(mac),
        "x68P15GCa1HmSDdw4rVLsw6ZdUMyLZHfITcI3kWE3Eg"
    );
}

#[test]
fn a_token_is_valid_until_its_last_second_and_not_after() {
    let token = issued(NOW);
    let expires = Timestamp(1_800_001_023_000);
    assert!(tokens(7).verify(&token, Timestamp(expires.0 - 1)).is_ok());
    let late = tokens(7).verify(&token, expires).unwrap_err();
    assert_eq!(late.code(), Code::Unauthenticated);
}

#[test]
fn another_key_another_algorithm_and_none_at_all_are_refused() {
    assert!(!refused(&issued(NOW)));
    assert!(refused(&tokens(8).issue(ANA, SESSION, &RoleSet::new(), NOW, 900)));
    let kid = epoch(NOW).to_string();
    assert!(!refused(&with_header(&json!({"alg": "HS256", "kid": kid}))));
    for header in [
        json!({"alg": "none", "kid": kid}),
        json!({"alg": "None", "kid": kid}),
        json!({"alg": "hs256", "kid": kid}),
        json!({"alg": "HS384", "kid": kid}),
        json!({"alg": "RS256", "kid": kid}),
        json!({"kid": kid}),
        json!({"alg": "HS256"}),
        json!({"alg": "HS256", "kid": epoch(NOW)}),
        json!({"alg": "HS256", "kid": format!("0{kid}")}),
        json!({"alg": "HS256", "kid": "+1"}),
        json!({"alg": "HS256", "kid": "999999"}),
        json!({"alg": "HS256", "kid": "../../etc/passwd"}),
        json!({"alg": "HS256", "kid": kid, "crit": ["exp"]}),
    ] {
        assert!(refused(&with_header(&header)), "{header}");
    }
}

#[test]
fn a_token_without_a_signature_or_with_a_byte_changed_is_refused() {
    let token = issued(NOW);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    for bad in [
        String::new(),
        ".".into(),
        "..".into(),
        "...".into(),
        signed.into(),
        format!("{signed}."),
        format!("{token}."),
        format!("{token}="),
        format!(" {token}"),
        format!("{signed}.{}", &signature[..signature.len() - 2]),
        format!("{signed}.{signature}.{signature}"),
        format!("{}.{signature}", signed.replace('.', "")),
        "x".repeat(MAX_TOKEN_BYTES),
        format!("{signed}.{}", "A".repeat(MAX_TOKEN_BYTES)),
        "ñandú.ñandú.ñandú".into(),
    ] {
        assert!(refused(&bad), "{bad:.80}");
    }
    for at in (0..token.len()).filter(|at| token.as_bytes()[*at] != b'.') {
        let mut changed = token.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        assert!(refused(&String::from_utf8(changed).unwrap()), "byte {at}");
    }
}

#[test]
fn keys_change_every_week_and_the_last_weeks_still_opens() {
    let monday = Timestamp(3_000 * EPOCH_MS);
    let before = Timestamp(monday.0 - 1);
    let old = issued(before);
    assert!(tokens(7).verify(&old, Timestamp(monday.0 + 60_000)).is_ok());
    // Issued to last for years: its key does not.
    let lasting = tokens(7).issue(ANA, SESSION, &RoleSet::new(), before, 100_000_000);
    assert!(
        tokens(7)
            .verify(&lasting, Timestamp(monday.0 + EPOCH_MS - 1))
            .is_ok()
    );
    assert!(
        tokens(7)
            .verify(&lasting, Timestamp(monday.0 + EPOCH_MS))
            .is_err()
    );
    // Another node's clock is a little ahead.
    assert!(tokens(7).verify(&issued(monday), before).is_ok());
    assert!(
        tokens(7)
            .verify(&issued(monday), Timestamp(monday.0 - 61_000))
            .is_err()
    );
}

#[test]
fn nothing_secret_is_printed() {
    assert_eq!(format!("{:?}", tokens(7)), "Tokens(…)");
}
