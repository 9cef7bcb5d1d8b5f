// What a person has chosen for a show, kept for this tab: it survives a reload, another language, and going away to log in.

import { ofThisTab } from "../storage.js";

const NOTHING = {
  /** Names of chosen seats. */
  seats: [],
  /** How many tickets, where seats are not chosen one by one, and in which section ("" for any). */
  quantity: 1,
  section: "",
  /** The hold as the API tells it, and with it the address and person it belongs to. */
  hold: null,
  /** A request whose answer is not known yet: `{key, body}`. Asked again with the same key it is done once. */
  holding: null,
  paying: null,
  /** What was held was handed over to be paid: seats that are gone are not lost to others. */
  paid: false,
  /** The simulated card. */
  card: "tok_ok",
};

/** `{get(), update(changes)}` of a show. */
export function choiceOf(showId) {
  const key = `eventflow.show.${showId}`;
  const get = () => ({ ...NOTHING, ...ofThisTab.get(key) });
  return {
    get,
    update(changes) {
      ofThisTab.set(key, { ...get(), ...changes });
    },
  };
}
