// Passkeys: the browser is asked for what a page's options want (WebAuthn 5.4, 5.5), and its answer goes with the form.
"use strict";
(() => {
  if (!globalThis.PublicKeyCredential) return;
  const octets = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  // Octets are base64url in JSON.
  function decoded(options) {
    const key = { ...options, challenge: octets(options.challenge) };
    if (options.user) key.user = { ...options.user, id: octets(options.user.id) };
    for (const list of ["excludeCredentials", "allowCredentials"]) {
      if (options[list]) key[list] = options[list].map((known) => ({ ...known, id: octets(known.id) }));
    }
    return key;
  }

  function encoded(credential) {
    const response = {};
    for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[part]) response[part] = text(credential.response[part]);
    }
    return JSON.stringify({ id: credential.id, rawId: text(credential.rawId), type: credential.type, response });
  }

  for (const form of document.querySelectorAll("[data-passkeys]")) form.hidden = false;
  for (const part of document.querySelectorAll("[data-passkey]")) {
    const form = part.querySelector("form");
    const problem = part.querySelector("[data-passkey-problem]");
    form.addEventListener("submit", async (event) => {
      if (form.elements.answer.value !== "" || !form.reportValidity()) return;
      event.preventDefault();
      problem.hidden = true;
      try {
        const publicKey = decoded(JSON.parse(part.dataset.options).publicKey);
        form.elements.answer.value = encoded(await navigator.credentials[part.dataset.passkey]({ publicKey }));
        form.submit();
      } catch {
        problem.hidden = false; // the person has changed their mind, or there is no such key
      }
    });
  }
})();
