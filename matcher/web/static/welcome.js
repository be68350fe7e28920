// The one-time token comes in the fragment, which no server log sees; it is moved into the form.
const token = location.hash.slice(1);
if (token) {
  history.replaceState(null, "", location.pathname);
  document.getElementById("token").value = token;
  document.getElementById("password").focus();
}
