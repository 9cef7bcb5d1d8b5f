//! The scripts, each one atomic step, and the state that they keep.
//!
//! `{eventflow}:state` is a hash:
//!
//! | field | |
//! |---|---|
//! | `born` | when this state was made, in microseconds: a Redis that lost everything gets another |
//! | `active` | the generation that readers see |
//! | `last` | the highest generation so far; the first is a number of seconds, so that none is ever used twice |
//! | `changes` | how often another generation became active |
//! | `applied:<generation>` | how far it is; empty = at the start of the log |
//! | `mark:<name>` | a small named checkpoint |

use contract::Position;
use ports::Generation;
use redis::Script;
use std::collections::HashMap;

/// The mark that says that the documents once were complete: the run that fills Redis had seen the end of the log.
/// (`projector::Options::complete_mark`.) Lost with the documents.
pub const COMPLETE: &str = "complete";

/// The state's fields, as Redis gives them.
pub(super) type Fields = HashMap<String, String>;

/// What readers must know of the state. Within one life of a Redis (`born_us`) it only grows, in this order, so that
/// of two answers the greater one is the later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct State {
    pub born_us: u64,
    pub changes: u64,
    pub active: Generation,
    pub applied: Option<Position>,
    pub complete: bool,
}

impl State {
    /// `None` when there is none: Redis is empty.
    pub fn read(fields: &Fields) -> Option<Self> {
        let number = |name: &str| fields.get(name)?.parse::<u64>().ok();
        let active = Generation(fields.get("active")?.parse().ok()?);
        Some(Self {
            born_us: number("born")?,
            changes: number("changes").unwrap_or(0),
            active,
            applied: applied(fields, active)?,
            complete: fields.contains_key(&mark(COMPLETE)),
        })
    }
}

/// How far a generation is; `None` when there is no such generation.
pub(super) fn applied(fields: &Fields, generation: Generation) -> Option<Option<Position>> {
    let text = fields.get(&format!("applied:{}", generation.0))?;
    match text.as_str() {
        "" => Some(None),
        number => number.parse().ok().map(|position| Some(Position(position))),
    }
}

/// Whether a generation is there, or may yet come to be.
pub(super) fn may_exist(fields: &Fields, generation: Generation) -> bool {
    let last = fields.get("last").and_then(|last| last.parse::<u32>().ok());
    applied(fields, generation).is_some() || last.is_none_or(|last| generation.0 > last)
}

pub(super) fn mark(name: &str) -> String {
    format!("mark:{name}")
}

/// A checkpoint as it is stored.
pub(super) fn stored(checkpoint: Option<Position>) -> String {
    checkpoint
        .map(|position| position.0.to_string())
        .unwrap_or_default()
}

const ENSURE: &str = r"
if redis.call('HEXISTS', KEYS[1], 'active') == 1 then return 0 end
local now = redis.call('TIME')
redis.call('HSET', KEYS[1], 'born', now[1] .. string.format('%06d', now[2]),
  'active', now[1], 'last', now[1], 'changes', 0, 'applied:' .. now[1], '')
return 1";

/// What `apply` and `commit` begin with: nobody else may have moved the checkpoint since this writer knew it. A
/// writer that was replaced is refused, and so is a call of its own that timed out and arrives after all.
const FENCE: &str = r"
local field = 'applied:' .. ARGV[1]
local at = redis.call('HGET', KEYS[1], field)
if not at then return redis.error_reply('GONE there is no such generation') end
if at ~= ARGV[2] then return redis.error_reply('STALE the checkpoint was moved by another writer') end";

/// KEYS: the state, the documents. ARGV: generation, checkpoint before, checkpoint after, a value per document;
/// an empty one deletes it.
const APPLY: &str = r"
for i = 2, #KEYS do
  local value = ARGV[i + 2]
  if value == '' then redis.call('UNLINK', KEYS[i]) else redis.call('SET', KEYS[i], value) end
end
redis.call('HSET', KEYS[1], field, ARGV[3])
return redis.call('HGETALL', KEYS[1])";

/// KEYS: the state, n staged values, their n documents, documents to delete. ARGV: generation, checkpoint before,
/// checkpoint after, n. Renaming copies nothing, so this is short however much was staged.
const COMMIT: &str = r"
local n = tonumber(ARGV[4])
for i = 2, n + 1, 1000 do
  local last = math.min(i + 999, n + 1)
  if redis.call('EXISTS', unpack(KEYS, i, last)) ~= last - i + 1 then
    return redis.error_reply('GONE a staged value was lost')
  end
end
for i = 2, n + 1 do
  redis.call('RENAME', KEYS[i], KEYS[i + n])
  redis.call('PERSIST', KEYS[i + n])
end
for i = 2 * n + 2, #KEYS do redis.call('UNLINK', KEYS[i]) end
redis.call('HSET', KEYS[1], field, ARGV[3])
return redis.call('HGETALL', KEYS[1])";

const BEGIN: &str = r"
local active = redis.call('HGET', KEYS[1], 'active')
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  local generation = string.match(field, '^applied:(%d+)$')
  if generation and generation ~= active then redis.call('HDEL', KEYS[1], field) end
end
local new = redis.call('HINCRBY', KEYS[1], 'last', 1)
redis.call('HSET', KEYS[1], 'applied:' .. new, '')
return new";

const ACTIVATE: &str = r"
if redis.call('HEXISTS', KEYS[1], 'applied:' .. ARGV[1]) == 0 then
  return redis.error_reply('GONE there is no such generation')
end
local old = redis.call('HGET', KEYS[1], 'active')
local function at(generation) return tonumber(redis.call('HGET', KEYS[1], 'applied:' .. generation)) or -1 end
if old ~= ARGV[1] and at(old) > at(ARGV[1]) then
  return redis.error_reply('STALE the active generation is further')
end
if old ~= ARGV[1] then
  redis.call('HDEL', KEYS[1], 'applied:' .. old)
  redis.call('HSET', KEYS[1], 'active', ARGV[1])
  redis.call('HINCRBY', KEYS[1], 'changes', 1)
end
return 1";

/// Only whoever saw the documents up to the checkpoint may call them complete: after a loss they are others.
const MARK_COMPLETE: &str = r"
local active = redis.call('HGET', KEYS[1], 'active')
if not active or redis.call('HGET', KEYS[1], 'applied:' .. active) ~= ARGV[1] then
  return redis.error_reply('STALE the documents are not at that position')
end
redis.call('HSET', KEYS[1], 'mark:complete', ARGV[1])
return 1";

/// All scripts of the store. Each is sent as its hash, and as its text when Redis does not know it (yet, or any
/// more after a restart).
pub(super) struct Scripts {
    pub ensure: Script,
    pub apply: Script,
    pub commit: Script,
    pub begin: Script,
    pub activate: Script,
    pub mark_complete: Script,
}

impl Scripts {
    pub fn new() -> Self {
        Self {
            ensure: Script::new(ENSURE),
            apply: Script::new(&[FENCE, APPLY].concat()),
            commit: Script::new(&[FENCE, COMMIT].concat()),
            begin: Script::new(BEGIN),
            activate: Script::new(ACTIVATE),
            mark_complete: Script::new(MARK_COMPLETE),
        }
    }
}
