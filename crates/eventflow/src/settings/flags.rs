//! The flags, made from the declarations.

use super::{CONFIG_VARIABLE, DECLARED, Invalid, Settings, Sources};
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, ValueHint, parser::ValueSource};
use std::{collections::BTreeMap, path::PathBuf};

/// Which subcommands take the flags.
pub type Audience = u8;
/// Those that work on a data folder.
pub const FOLDER: Audience = 0;
/// `dev`, which works on a data folder and sells.
pub const DEV: Audience = 1;
/// `serve` and those who work with its servers.
pub const SERVE: Audience = 2;

/// The flags of every subcommand that works on a data folder.
pub type FolderFlags = Flags<FOLDER>;
/// The flags of `dev`.
pub type ServingFlags = Flags<DEV>;
/// The flags of `serve`.
pub type ServersFlags = Flags<SERVE>;

const CONFIG: &str = "config";

/// What was given on the command line; texts still.
#[derive(Clone, Debug, Default)]
pub struct Flags<const AUDIENCE: Audience> {
    config: Option<PathBuf>,
    given: BTreeMap<&'static str, String>,
}

impl<const AUDIENCE: Audience> Flags<AUDIENCE> {
    /// All settings, from these flags, the environment, the file and the defaults, with warnings for whoever
    /// started the program.
    ///
    /// # Errors
    /// [`Invalid`], naming what is not as it must be.
    pub fn settings(self) -> Result<(Settings, Vec<String>), Invalid> {
        let sources = Sources::gather(self.given, self.config)?;
        Ok((Settings::resolve(&sources)?, sources.strangers()))
    }
}

impl<const AUDIENCE: Audience> Args for Flags<AUDIENCE> {
    fn augment_args(mut command: Command) -> Command {
        command = command.arg(
            Arg::new(CONFIG)
                .long(CONFIG)
                .value_name("FILE")
                .value_hint(ValueHint::FilePath)
                .help(format!("A TOML file with settings; also {CONFIG_VARIABLE}"))
                .help_heading("Settings"),
        );
        for setting in DECLARED.iter().filter(|setting| setting.scope.is_for(AUDIENCE)) {
            let default = match setting.default {
                "" => String::new(),
                default => format!(", default {default}"),
            };
            let help = format!("{} [{}{default}]", setting.help, setting.variable());
            let name = setting
                .name
                .rsplit('_')
                .next()
                .unwrap_or(setting.name)
                .to_ascii_uppercase();
            command = command.arg(
                Arg::new(setting.name)
                    .long(setting.flag())
                    .value_name(name)
                    .help(help)
                    .help_heading("Settings"),
            );
        }
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<const AUDIENCE: Audience> FromArgMatches for Flags<AUDIENCE> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.config = matches.get_one::<String>(CONFIG).map(PathBuf::from);
        for setting in DECLARED.iter().filter(|setting| setting.scope.is_for(AUDIENCE)) {
            if matches.value_source(setting.name) == Some(ValueSource::CommandLine)
                && let Some(text) = matches.get_one::<String>(setting.name)
            {
                self.given.insert(setting.name, text.clone());
            }
        }
        Ok(())
    }
}
