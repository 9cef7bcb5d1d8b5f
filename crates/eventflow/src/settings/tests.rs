#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

fn sources(flags: &[(&'static str, &str)], environment: &[(&str, &str)], file: &str) -> Sources {
    let path = Path::new("eventflow.toml");
    Sources {
        flags: flags
            .iter()
            .map(|(name, text)| (*name, text.to_string()))
            .collect(),
        environment: environment
            .iter()
            .map(|(name, text)| (name.to_string(), text.to_string()))
            .collect(),
        file: Some((path.to_path_buf(), parse_file(path, file).unwrap())),
    }
}

#[test]
fn the_defaults_are_valid() {
    let settings = Settings::resolve(&Sources::default()).unwrap();
    assert_eq!(settings.listen, "127.0.0.1:8080".parse().unwrap());
    assert_eq!(settings.hold_ttl_ms, 600_000);
    assert_eq!(settings.currency, Currency::USD);
    assert!(settings.master_key.is_none());
}

#[test]
fn a_flag_goes_before_the_environment_and_that_before_the_file() {
    let file = "hold_ttl_ms = 300\ncurrency = \"EUR\"\nexport_k = 7";
    let environment = [("EVENTFLOW_HOLD_TTL_MS", "200"), ("EVENTFLOW_CURRENCY", "CLP")];
    let settings = Settings::resolve(&sources(&[("hold_ttl_ms", "100")], &environment, file)).unwrap();
    assert_eq!(settings.hold_ttl_ms, 100);
    assert_eq!(settings.currency.code(), "CLP");
    assert_eq!(settings.export_k, 7);
}

#[test]
fn an_error_names_the_setting_in_its_three_spellings_and_what_is_expected() {
    for setting in DECLARED.iter().filter(|setting| setting.name != "data") {
        let given = sources(&[(setting.name, "no/thing==")], &[], "");
        let error = Settings::resolve(&given).unwrap_err().to_string();
        for part in [
            setting.name,
            &format!("--{}", setting.flag()),
            &setting.variable(),
            setting.expects,
        ] {
            assert!(error.contains(part), "{error:?} does not say {part:?}");
        }
        assert_eq!(error.contains("no/thing=="), !setting.secret, "{error:?}");
    }
}

#[test]
fn an_unknown_key_in_the_file_is_refused_with_what_was_probably_meant() {
    let error = parse_file(Path::new("x.toml"), "hold_ttl = 5")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("`hold_ttl`") && error.contains("`hold_ttl_ms`"),
        "{error}"
    );
    assert!(parse_file(Path::new("x.toml"), "listen = [1]").is_err());
    assert!(parse_file(Path::new("x.toml"), "listen = ").is_err());
}

#[test]
fn an_unknown_variable_is_told_with_what_was_probably_meant() {
    let given = sources(
        &[],
        &[
            ("EVENTFLOW_HOLD_TTLMS", "5"),
            ("EVENTFLOW_CONFIG", ""),
            ("EVENTFLOW_LOG", "warn"),
        ],
        "",
    );
    let strangers = given.strangers();
    assert_eq!(strangers.len(), 1);
    assert!(strangers[0].contains("EVENTFLOW_HOLD_TTL_MS"), "{strangers:?}");
}

#[test]
fn an_empty_optional_setting_is_unset() {
    let settings = Settings::resolve(&sources(&[], &[("EVENTFLOW_SMTP_URL", "")], "")).unwrap();
    assert_eq!(settings.smtp_url, None);
    let settings = Settings::resolve(&sources(&[("smtp_url", "smtp://127.0.0.1:2525")], &[], "")).unwrap();
    assert_eq!(
        settings.smtp_url,
        Some(SmtpServer {
            host: "127.0.0.1".into(),
            port: 2525
        })
    );
}

#[test]
fn the_master_key_never_shows() {
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let settings = Settings::resolve(&sources(&[("master_key", key)], &[], "")).unwrap();
    assert_eq!(settings.master_key.as_ref().unwrap().0[31], 31);
    assert!(!format!("{settings:?}").contains("31"));
    let error = Settings::resolve(&sources(&[("master_key", "AAEC")], &[], "")).unwrap_err();
    assert!(!error.to_string().contains("AAEC"), "{error}");
}
