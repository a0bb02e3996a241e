const entry = performance.getEntriesByType("navigation")[0];
const protocols = { "h2": "HTTP/2", "http/1.1": "HTTP/1.1", "h3": "HTTP/3" };
if (window.isSecureContext && location.protocol === "https:") {
  const check = document.getElementById("check");
  const protocol = protocols[entry && entry.nextHopProtocol] || "HTTP";
  check.textContent = `✓ This is a secure context, reached by ${protocol} over TLS.`;
  check.classList.add("good");
}
