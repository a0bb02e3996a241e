// What the browser measured of the connection that brought this page.
const page = performance.getEntriesByType("navigation")[0];

function show(id, text, look) {
  const place = document.getElementById(id);
  place.textContent = text;
  if (look) place.classList.add(look);
}

function time(milliseconds) {
  return milliseconds < 10 ? `${milliseconds.toFixed(1)} ms` : `${Math.round(milliseconds)} ms`;
}

function size(bytes) {
  return bytes < 1024 ? `${bytes} bytes` : `${(bytes / 1024).toFixed(1)} KiB`;
}

function answered() {
  if (location.protocol === "https:" && window.isSecureContext) {
    show("secure", `✓ encrypted, to ${location.host}`, "good");
  } else {
    show("secure", "not encrypted", "warn");
  }

  const protocols = { "h2": "HTTP/2", "http/1.1": "HTTP/1.1", "h3": "HTTP/3" };
  show("protocol", protocols[page.nextHopProtocol] || page.nextHopProtocol || "unknown");

  const started = page.secureConnectionStart;
  show("handshake", started > 0 && page.connectEnd > started
    ? time(page.connectEnd - started)
    : "none: an open connection was used again");
  show("answer", `${time(page.responseStart - page.requestStart)} after asking`);

  const { encodedBodySize: wire, decodedBodySize: whole } = page;
  if (page.transferSize === 0) {
    show("size", "none: from the browser's cache");
  } else if (wire < whole) {
    show("size", `${size(wire)}, compressed from ${size(whole)}`);
  } else {
    show("size", size(whole));
  }
}

// Sizes are known when the page has been read to its end.
window.addEventListener("load", answered);
