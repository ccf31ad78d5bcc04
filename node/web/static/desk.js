/* The desk's one script, for sessions only. Every page works without it.

   Each part is a function that is handed the page and looks for what it knows by an attribute; `start`, at the end, calls
   them all. Nothing is kept in the browser, nothing is run that came over the wire, and nobody but this node is asked. */
"use strict";

/* --- Passkeys: `<form data-passkey="get|create" data-options hidden>`. Without passkeys the form stays hidden and codes
   are asked for. --- */

const toBytes = text =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), each => each.charCodeAt(0));

const toText = buffer =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

function passkeys(page) {
  const form = page.querySelector("form[data-passkey]");
  if (!form || !window.PublicKeyCredential) return;
  const key = JSON.parse(form.dataset.options).publicKey;
  key.challenge = toBytes(key.challenge);
  if (key.user) key.user.id = toBytes(key.user.id);
  for (const each of [...(key.allowCredentials || []), ...(key.excludeCredentials || [])]) each.id = toBytes(each.id);
  form.hidden = false;
  form.addEventListener("submit", async event => {
    if (form.elements.passkey.value) return;
    event.preventDefault();
    let found;
    try {
      found = await navigator.credentials[form.dataset.passkey]({publicKey: key});
    } catch {
      return;
    }
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"])
      if (found.response[name]) response[name] = toText(found.response[name]);
    form.elements.passkey.value =
      JSON.stringify({id: found.id, rawId: toText(found.rawId), type: found.type, response});
    form.submit();
  });
}

/* --- Live regions: `<section data-live="/desk/…">` is fetched again and replaced: its `[data-sum]`, which is read out,
   by its text and only when that changed; its `[data-rest]` whole, unless somebody is inside it. What is fetched is a
   page of its own that has the same region. --- */

const FIRST = 5_000;
const SLOWEST = 60_000;
const LONGEST = 30 * 60_000;

function live(page) {
  for (const region of page.querySelectorAll("[data-live]")) watch(region);
}

function watch(region) {
  const until = Date.now() + LONGEST;
  let wait = FIRST;
  let timer = 0;

  const later = () => {
    clearTimeout(timer);
    if (!document.hidden && Date.now() < until) timer = setTimeout(again, wait);
  };
  const again = async () => {
    const found = await fetchRegion(region.dataset.live);
    if (found === null) return stop();
    wait = found && replace(region, found) ? FIRST : Math.min(wait * 1.5, SLOWEST);
    later();
  };
  const seen = () => (document.hidden ? clearTimeout(timer) : later());
  const stop = () => {
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", seen);
  };
  document.addEventListener("visibilitychange", seen);
  later();
}

/* The region as it is now; undefined where the node did not answer, null where it says that this is over: a redirect to
   sign-in, or nothing there any more. */
async function fetchRegion(path) {
  let answer;
  try {
    answer = await fetch(path, {cache: "no-store", credentials: "same-origin", redirect: "manual"});
  } catch {
    return undefined;
  }
  if (answer.type === "opaqueredirect" || (answer.status >= 400 && answer.status < 500)) return null;
  if (!answer.ok) return undefined;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return [...page.querySelectorAll("[data-live]")].find(each => each.dataset.live === path) || null;
}

function replace(region, found) {
  const [sum, newSum] = [region, found].map(each => each.querySelector("[data-sum]"));
  const [rest, newRest] = [region, found].map(each => each.querySelector("[data-rest]"));
  let changed = false;
  if (sum && newSum && sum.textContent !== newSum.textContent) {
    sum.replaceChildren(...newSum.childNodes);
    changed = true;
  }
  if (rest && newRest && !rest.contains(document.activeElement)) {
    const open = [...rest.querySelectorAll("details")].map(each => each.open);
    [...newRest.querySelectorAll("details")].forEach((each, at) => { each.open = Boolean(open[at]); });
    rest.replaceWith(document.importNode(newRest, true));
  }
  return changed;
}

/* --- Drafts: `<form data-draft="/desk/drafts/keep/…">` is kept on the node a moment after typing stops, sealed to the one
   who types, and said so beside `[data-kept]`. What is handed in is not kept again. --- */

const PAUSE = 2_000;

function drafts(page) {
  for (const form of page.querySelectorAll("form[data-draft]")) keepUp(form);
}

function keepUp(form) {
  const said = form.querySelector("[data-kept]");
  let timer = 0;
  let over = false;
  const keep = async () => {
    if (over) return;
    const body = new URLSearchParams(new FormData(form));
    let answer;
    try {
      answer = await fetch(form.dataset.draft, {method: "POST", body, redirect: "manual", credentials: "same-origin"});
    } catch {
      return later();
    }
    over = answer.status !== 204;
    if (said) said.textContent = over ? "" : said.dataset.kept;
  };
  const later = () => {
    clearTimeout(timer);
    if (!over) timer = setTimeout(keep, PAUSE);
  };
  form.addEventListener("input", () => {
    if (said) said.textContent = "";
    later();
  });
  form.addEventListener("submit", () => {
    over = true;
    clearTimeout(timer);
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden && timer) keep();
  });
}

/* --- A computer that others use: `<div data-idle="300" data-away="/desk/…">`. When nobody touched the page for so many
   seconds it goes away, and the browser forgets; what was typed is kept before (see drafts). --- */

function idle(page) {
  const mark = page.querySelector("[data-idle]");
  if (!mark) return;
  let timer = 0;
  const away = () => location.replace(mark.dataset.away);
  const touched = () => {
    clearTimeout(timer);
    timer = setTimeout(away, Number(mark.dataset.idle) * 1000);
  };
  for (const kind of ["pointerdown", "keydown", "input", "scroll"]) page.addEventListener(kind, touched, {passive: true});
  touched();
}

/* --- All parts, once the page is there. --- */

function start(page) {
  for (const part of [passkeys, live, drafts, idle]) part(page);
}

start(document);
