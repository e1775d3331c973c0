// A wallet that answers one OpenID4VP request with what its DCQL evaluation selects.
// Input: {invocation, anchors, holder (private JWK), credentials: [compact SD-JWT], hostile?}
// Output: {prefix, query (result of the evaluation), sent: {id: [presentation]}, status, body, error}
// hostile: "nonce", "audience", "clear", "key", "unasked" spoils the answer in one way.
import { Openid4vpClient } from '@openid4vc/openid4vp'
import { DcqlQuery } from 'dcql'
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc'
import { createHash, randomBytes } from 'node:crypto'
import * as jose from 'jose'
import { b64u, callbacks, readInput, writeOutput } from './lib.mjs'

const input = await readInput()
const context = await callbacks({ keys: [input.holder], anchors: input.anchors })
const client = new Openid4vpClient({ callbacks: context })

const sdjwt = new SDJwtVcInstance({
  hasher: (data, alg) => createHash(alg.replace('-', '')).update(typeof data === 'string' ? data : Buffer.from(data)).digest(),
  hashAlg: 'sha-256',
  saltGenerator: (n) => b64u(randomBytes(n)),
  kbSignAlg: 'ES256',
  kbSigner: async (data) => {
    const jwk = input.hostile === 'key' ? (await jose.generateKeyPair('ES256', { extractable: true })).privateKey : await jose.importJWK(input.holder, 'ES256')
    const [header, payload] = data.split('.')
    const signed = await new jose.CompactSign(Buffer.from(payload, 'base64url')).setProtectedHeader(JSON.parse(Buffer.from(header, 'base64url'))).sign(jwk)
    return signed.split('.')[2]
  },
})

// frame turns the output of the evaluation into what to disclose; null in an array stands for an element left out.
function frame(value) {
  if (Array.isArray(value)) return Object.fromEntries(value.map((v, i) => [i, v === null ? false : frame(v)]).filter(([, v]) => v))
  if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, frame(v)]))
  return true
}

// whole discloses a skill as a whole: the issuer made the element one disclosure, so there is nothing smaller inside it.
function whole(f) {
  for (const [k, v] of Object.entries(f)) {
    if (k === 'skills' && typeof v === 'object') f[k] = Object.fromEntries(Object.keys(v).map((i) => [i, true]))
  }
  return f
}

const output = {}
try {
  const { params } = client.parseOpenid4vpAuthorizationRequest({ authorizationRequest: input.invocation })
  const resolved = await client.resolveOpenId4vpAuthorizationRequest({ authorizationRequestPayload: params })
  const request = resolved.authorizationRequestPayload
  output.prefix = resolved.client.prefix
  output.purpose = request.verifier_info?.[0]

  const query = DcqlQuery.parse(resolved.dcql.query)
  DcqlQuery.validate(query)
  const held = []
  for (const compact of input.credentials) {
    const claims = await sdjwt.getClaims(compact)
    held.push({ credential_format: 'dc+sd-jwt', vct: claims.vct, cryptographic_holder_binding: true, claims })
  }
  const result = DcqlQuery.query(query, held)
  output.query = result

  const vpToken = {}
  for (const [id, match] of Object.entries(result.credential_matches)) {
    if (!match.success) continue
    for (const valid of match.valid_credentials) {
      const payload = { iat: Math.floor(Date.now() / 1000), aud: resolved.client.effective, nonce: request.nonce }
      if (input.hostile === 'nonce') payload.nonce = 'an-older-nonce'
      if (input.hostile === 'audience') payload.aud = 'x509_hash:somebody-else'
      const disclose = whole(frame(valid.claims.valid_claim_sets[0].output))
      const presentation = await sdjwt.present(input.credentials[valid.input_credential_index], disclose, { kb: { payload } })
      const as = input.hostile === 'unasked' ? 'not-asked' : id
      vpToken[as] = [...(vpToken[as] ?? []), presentation]
    }
  }
  output.sent = vpToken

  const encrypted = request.response_mode === 'direct_post.jwt' && input.hostile !== 'clear'
  const response = await client.createOpenid4vpAuthorizationResponse({
    authorizationRequestPayload: input.hostile === 'clear' ? { ...request, response_mode: 'direct_post' } : request,
    authorizationResponsePayload: { vp_token: vpToken },
    ...(encrypted && {
      jarm: {
        encryption: { nonce: b64u(randomBytes(16)) },
        serverMetadata: {
          authorization_signing_alg_values_supported: [],
          authorization_encryption_alg_values_supported: ['ECDH-ES'],
          authorization_encryption_enc_values_supported: ['A256GCM', 'A128GCM'],
        },
      },
    }),
  })
  const submitted = await client.submitOpenid4vpAuthorizationResponse({
    authorizationRequestPayload: request,
    authorizationResponsePayload: response.authorizationResponsePayload,
    jarm: response.jarm && { responseJwt: response.jarm.responseJwt },
  })
  output.status = submitted.response.status
  output.body = await submitted.response.text()
} catch (error) {
  output.error = String(error?.stack ?? error) + (error?.cause ? `\ncause: ${error.cause}` : '')
}
writeOutput(output)
