
"use strict";
const $ = id => document.getElementById(id);
const file = $("file"), drop = $("drop"), maxBytes = Number(file.dataset.maxBytes);
let shown = null, turn = 0;

const make = (tag, text, className) => {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
};
const icon = name => {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"), use = document.createElementNS(svg.namespaceURI, "use");
  use.setAttribute("href", "#i-" + name);
  svg.append(use);
  return svg;
};
const show = (...ids) => { for (const id of ["ask", "busy", "result"]) $(id).hidden = !ids.includes(id); };
const say = text => { $("status").textContent = text; };
const size = bytes => bytes < 1e6 ? Math.max(1, Math.round(bytes / 1e3)) + " kB" : (bytes / 1e6).toFixed(1) + " MB";
const day = text => { const time = new Date(text); return isNaN(time) ? text : time.toLocaleString(undefined, { dateStyle: "long", timeStyle: "short" }); };

function refuse(message) {
  show("ask");
  document.body.classList.remove("done");
  $("error").textContent = message;
  $("error").hidden = false;
}

async function check(picture) {
  const mine = ++turn;
  $("error").hidden = true;
  if (!picture.type.startsWith("image/") && picture.type) return refuse("That is not a picture. JPEG, PNG, WebP and AVIF are read.");
  if (picture.size > maxBytes) return refuse("That picture has " + size(picture.size) + "; at most " + size(maxBytes) + " are taken.");
  show("busy");
  say("Examining the picture");
  const form = new FormData();
  form.append("image", picture, "picture");
  const key = $("key").value.trim();
  try {
    const answer = await fetch("verify", { method: "POST", body: form, headers: key ? { Authorization: "Bearer " + key } : {}, credentials: "omit" });
    const told = await answer.json();
    if (mine !== turn) return;
    if (!answer.ok) return refuse(complaint(answer, told));
    reveal(picture, told);
  } catch (error) {
    if (mine === turn) refuse("The service could not be reached. Try again in a moment.");
  } finally {
    file.value = "";
  }
}

function complaint(answer, told) {
  const wait = answer.headers.get("Retry-After");
  if (answer.status === 401) { document.querySelector(".key").open = true; return "This API key is not known. Without one, leave the field empty."; }
  if (answer.status === 429 || answer.status === 503) return "Too many questions at the moment. Try again in " + (wait || "a few") + " seconds.";
  if (answer.status === 413) return "That picture is too large.";
  const details = told.details || {};
  if (details.field === "image" && details.message) return "The picture cannot be read: " + details.message + ".";
  return told.error || "Something went wrong.";
}

const KIND = { trainedAlgorithmicMedia: "Made by AI", compositeWithTrainedAlgorithmicMedia: "Composed with AI", digitalCapture: "A photograph" };

/* What a manifest store says, as far as people ask. */
function contents(store) {
  const manifest = store && store.manifests && store.manifests[store.active_manifest];
  if (!manifest) return {};
  const found = {}, assertions = manifest.assertions || [];
  for (const { label = "", data = {} } of assertions) {
    if (label.startsWith("c2pa.actions")) for (const action of data.actions || []) {
      const kind = String(action.digitalSourceType || "").split("/").pop();
      if (kind && action.action === "c2pa.created") found.kind = KIND[kind] || kind;
    }
    if (label.startsWith("cawg.metadata")) {
      const text = value => Array.isArray(value) ? value.map(text).join(", ") : value && typeof value === "object" ? text(Object.values(value)) : value === undefined ? "" : String(value);
      found.title = text(data["dc:title"]);
      found.author = text(data["dc:creator"]);
      found.description = text(data["dc:description"]);
      found.organization = text(data["dc:publisher"]) || text(data["photoshop:Source"]) || text(data["photoshop:Credit"]);
    }
  }
  const signed = manifest.signature_info || {};
  found.signer = [signed.common_name, signed.issuer].filter((name, at, all) => name && all.indexOf(name) === at).join(", ");
  return found;
}

function verdict(told) {
  const match = told.match, record = told.record, bad = told.findings.some(finding => finding.code === "PICTURE_DIFFERS" || finding.code.includes("DISAGREE") || (finding.code === "MANIFEST_NOT_OURS" && match && match.layer === "c2pa"));
  const when = record ? " on " + day(record.created_at) : "", own = match && match.yours ? " It was made with your key." : "";
  const named = contents(told.c2pa.manifest || (record && record.manifest));
  const made = named.kind === KIND.trainedAlgorithmicMedia ? "This service made it with AI" : "This service made it";
  if (!match) {
    if (told.c2pa.state === "Invalid") return ["bad", "bad", "Changed", "Its credentials do not hold", "The file carries Content Credentials, but they were made for other bytes, and nothing else here leads to a record."];
    if (told.c2pa.state === "Valid") return ["like", "warn", "Signed by a stranger", "Signed, but by nobody trusted here", "The manifest is whole. Whether to believe its signer is up to you; this service does not know the picture."];
    return ["", "none", "Nothing found", "No trace of this picture here", "It carries no credentials and no mark, and looks like no picture that this service has made. That proves nothing about where it comes from."];
  }
  if (bad) return ["bad", "warn", "Does not fit together", "Its traces contradict each other", "Something was found, but not all of it can be true. Look at what follows before you believe any of it."];
  if (match.layer === "c2pa") return ["ok", "yes", "Trusted", "Genuine, and unchanged", (record && match.record_by === "c2pa" ? made + when + "." : "Its Content Credentials are signed by " + (named.signer || "a signer that is trusted here") + ".") + " Not a byte of the file has changed since it was signed." + own];
  if (match.layer === "mark") return record
    ? ["see", "mark", "Recovered", "Its invisible mark survived", made + when + ". " + (told.c2pa.state === "Invalid" ? "The file was changed after it was signed" : told.c2pa.present ? "Its credentials were made by somebody else" : "Its credentials were stripped from this copy") + ", but the pixels still carry the mark." + own]
    : ["see", "mark", "Marked", "It carries a mark, but the record is not here", "The pixels carry the mark of record " + told.mark.record + ", which this service does not keep."];
  return ["like", "like", match.sure === "very likely" ? "Very likely a copy" : match.sure === "likely" ? "Likely a copy" : "Possibly a copy", "Recognised by its looks", "It looks like a picture that this service made" + when + ": " + match.distance + " of 256 bits of their fingerprints differ. " + "Neither credentials nor mark are left to confirm it." + own];
}

function layer(led, tone, mark, name, ...lines) {
  const item = make("li", undefined, (tone + (led ? " led" : "")).trim()), title = make("p", undefined, "name"), dot = make("span");
  dot.append(icon(mark));
  title.append(dot, name);
  item.append(title);
  for (const line of lines.filter(Boolean)) {
    const row = make("p");
    row.append(...[].concat(line));
    item.append(row);
  }
  return item;
}

function layers(told) {
  const led = told.match && told.match.layer, c2pa = told.c2pa, mark = told.mark, pdq = told.pdq, nearest = pdq.matches[0];
  const state = { Trusted: ["ok", "yes", "Trusted: signed, and unchanged since."], Valid: ["like", "warn", "Whole, but the signer is not trusted here."], Invalid: ["bad", "bad", "Present, but it does not hold."] }[c2pa.state] || ["", "no", "None in this file."];
  const reasons = c2pa.reasons.slice(0, 3);
  return [
    layer(led === "c2pa", state[0], state[1], "Content Credentials", [make("strong", state[2])], ...(c2pa.state === "Trusted" ? [] : reasons)),
    mark.found
      ? layer(led === "mark", "ok", "yes", "Invisible mark", [make("strong", mark.confidence >= 0.9999 ? "Found, at full strength." : "Found, " + Math.floor(mark.confidence * 100) + " % of its strength left.")], ["Record ", make("code", mark.record)], mark.bit_errors === 0 ? "No bit was damaged." : mark.bit_errors + (mark.bit_errors === 1 ? " bit was" : " bits were") + " damaged and corrected.")
      : layer(false, "", "no", "Invisible mark", [make("strong", "None found in the pixels.")]),
    nearest
      ? layer(led === "pdq", "like", "like", "Likeness", [make("strong", nearest.distance + " of 256 bits differ")], ["from record ", make("code", nearest.id)], pdq.matches.length > 1 ? (pdq.matches.length - 1) + " more look like it." : "")
      : pdq.hash === null
      ? layer(false, "", "no", "Likeness", [make("strong", "Its pixels cannot be decoded here.")])
      : layer(false, "", "no", "Likeness", [make("strong", pdq.quality < 50 ? "Too little in it to compare." : "Looks like no known record.")], "Fingerprint quality " + pdq.quality + " of 100."),
  ];
}

function facts(record, yours) {
  const named = contents(record.manifest), own = record.facts || {}, list = [];
  const row = (name, value, code) => { if (value !== undefined && value !== null && value !== "") list.push([name, value, code]); };
  row("Made", day(record.created_at));
  row("Record", record.id, true);
  row("Kind", named.kind);
  row("Title", named.title);
  row("Author", named.author);
  row("Description", named.description);
  row("Organization", named.organization);
  row("Signed by", named.signer);
  if (yours) {
    row("Prompt", own.prompt);
    row("Negative", own.negative);
    row("Model", own.model && own.model + (own.style ? ", " + own.style : ""));
    row("Character", own.character);
    row("Size", own.width && own.width + " × " + own.height);
    row("Seed", own.seed, true);
    row("Steps", own.steps && own.steps + (own.sampler ? ", " + own.sampler : "") + (own.guidance !== undefined ? ", guidance " + own.guidance : ""));
    row("Job", record.job_id, true);
  }
  const rows = list.flatMap(([name, value, code]) => { const cell = make("dd"); cell.append(code ? make("code", String(value)) : String(value)); return [make("dt", name), cell]; });
  if (record.manifest_id) {
    const cell = make("dd"), link = make("a");
    link.href = "c2pa/manifests/" + encodeURIComponent(record.manifest_id);
    link.append(make("code", record.manifest_id));
    cell.append(link);
    rows.push(make("dt", "Manifest"), cell);
  }
  return rows;
}

function reveal(picture, told) {
  if (shown) URL.revokeObjectURL(shown);
  shown = URL.createObjectURL(picture);
  const preview = $("preview");
  $("caption").textContent = (picture.name || "Pasted picture") + " · " + size(picture.size);
  preview.onload = () => { $("caption").textContent = (picture.name || "Pasted picture") + " · " + preview.naturalWidth + " × " + preview.naturalHeight + " · " + size(picture.size); };
  preview.src = shown;
  const [tone, mark, pill, headline, explanation] = verdict(told);
  $("head").className = "card head " + tone;
  $("icon").setAttribute("href", "#i-" + mark);
  $("pill").textContent = pill;
  $("verdict").textContent = headline;
  $("explain").textContent = explanation;
  $("findings").replaceChildren(...told.findings.map(finding => make("li", finding.message[0].toUpperCase() + finding.message.slice(1) + ".", /INVALID|NOT_OURS|DISAGREE|DIFFERS/.test(finding.code) ? "bad" : "")));
  $("layers").replaceChildren(...layers(told));
  const record = told.record, yours = Boolean(told.match && told.match.yours);
  $("record").hidden = !record;
  if (record) {
    $("recordtitle").textContent = yours ? "Your record" : "The record";
    $("facts").replaceChildren(...facts(record, yours));
    $("note").textContent = yours ? "" : "Prompt and settings are shown only to the API key that made the picture.";
    $("manifestbox").hidden = !record.manifest;
    $("manifestbox").open = false;
    $("manifest").textContent = record.manifest ? JSON.stringify(record.manifest, null, 2) : "";
  }
  document.body.classList.add("done");
  show("result");
  say(pill + ". " + headline);
  $("verdict").focus({ preventScroll: true });
  scrollTo({ top: 0 });
}

file.addEventListener("change", () => { if (file.files[0]) check(file.files[0]); });
$("again").addEventListener("click", () => { document.body.classList.remove("done"); show("ask"); file.focus(); say(""); });
let depth = 0;
const over = on => { drop.classList.toggle("over", on); $("invite").textContent = on ? "Let go to examine it" : "Drop a picture here"; };
addEventListener("dragenter", event => { event.preventDefault(); depth++; over(true); });
addEventListener("dragleave", () => { if (--depth <= 0) { depth = 0; over(false); } });
addEventListener("dragover", event => event.preventDefault());
addEventListener("drop", event => { event.preventDefault(); depth = 0; over(false); const dropped = event.dataTransfer.files[0]; if (dropped) check(dropped); });
addEventListener("paste", event => { const pasted = [...event.clipboardData.files][0]; if (pasted) { event.preventDefault(); check(pasted); } });
