// Registers the texts of the auditor's and operator's pages; whoever shows some imports this.

import { register } from "../i18n.js";
import pages from "../i18n/auditing.js";
import data from "../i18n/auditing_data.js";
import events from "../i18n/auditing_events.js";
import operations from "../i18n/auditing_operations.js";
import show from "../i18n/auditing_show.js";

for (const area of [pages, data, events, operations, show]) register(area);
