// SPDX-License-Identifier: Apache-2.0
// Which sites may ask, fixed when the extension is built: make extension
// ORIGINS="https://issuer.example https://*.example.org:8443". Empty: every
// site with a secure origin. A managed policy (policy.json) narrows it further.
export const ORIGINS = [];
