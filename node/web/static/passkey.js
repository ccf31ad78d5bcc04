/* Asks the browser for a passkey. Without it, or without passkeys, the form stays hidden and codes are asked for. */
"use strict";
(() => {
  const form = document.querySelector("form[data-passkey]");
  if (!form || !window.PublicKeyCredential) return;
  const bytes = text => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), each => each.charCodeAt(0));
  const text = buffer => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const key = JSON.parse(form.dataset.options).publicKey;
  key.challenge = bytes(key.challenge);
  if (key.user) key.user.id = bytes(key.user.id);
  for (const each of [...(key.allowCredentials || []), ...(key.excludeCredentials || [])]) each.id = bytes(each.id);
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
      if (found.response[name]) response[name] = text(found.response[name]);
    form.elements.passkey.value = JSON.stringify({id: found.id, rawId: text(found.rawId), type: found.type, response});
    form.submit();
  });
})();
