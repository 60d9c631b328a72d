"use strict";
// Whatever goes wrong on the page is said on the page.
function sayProblem(text) {
  const show = () => {
    const place = document.getElementById("problems");
    place.hidden = false;
    place.append(text, document.createElement("br"));
  };
  if (document.getElementById("problems")) show();
  else document.addEventListener("DOMContentLoaded", show);
}
window.addEventListener("error", (event) => sayProblem(`Error: ${event.message}`));
window.addEventListener("unhandledrejection", (event) => sayProblem(`Error: ${event.reason}`));
document.addEventListener("securitypolicyviolation", (event) =>
  sayProblem(`Blocked: ${event.violatedDirective} ${event.blockedURI}`));
