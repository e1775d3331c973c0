// A verifier, in two steps, so that the test plays its web server.
// {step: "request", key (private JWK), x5c, requestUri, responseUri, query, mode, aud?} makes a signed request:
//   -> {invocation, object, payload, encryptionKey}
// {step: "response", payload, encryptionKey, form, issuer (public JWK)} checks what a wallet posted:
//   -> {satisfied, claims: {id: [processed claims]}}
import { Openid4vpVerifier, calculateX509HashClientIdPrefixValue } from '@openid4vc/openid4vp'
import { DcqlPresentationResult, DcqlQuery } from 'dcql'
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc'
import { createHash, randomBytes } from 'node:crypto'
import * as jose from 'jose'
import { b64u, callbacks, publicJwk, readInput, writeOutput } from './lib.mjs'

const input = await readInput()

async function makeRequest() {
  const context = await callbacks({ keys: [input.key] })
  context.signJwt = async (signer, { header, payload }) => ({
    jwt: await new jose.SignJWT(payload).setProtectedHeader(header).sign(await jose.importJWK(input.key, 'ES256')),
    signerJwk: publicJwk(input.key),
  })
  const verifier = new Openid4vpVerifier({ callbacks: context })
  const { privateKey } = await jose.generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true })
  const encryptionKey = { ...(await jose.exportJWK(privateKey)), kid: 'enc-1', use: 'enc', alg: 'ECDH-ES' }
  const hash = await calculateX509HashClientIdPrefixValue({ x509Certificate: input.x5c[0], hash: context.hash })
  const made = await verifier.createOpenId4vpAuthorizationRequest({
    authorizationRequestPayload: {
      response_type: 'vp_token',
      client_id: `x509_hash:${hash}`,
      nonce: b64u(randomBytes(16)),
      state: b64u(randomBytes(16)),
      response_mode: input.mode,
      response_uri: input.responseUri,
      dcql_query: input.query,
      client_metadata: {
        vp_formats_supported: { 'dc+sd-jwt': { 'sd-jwt_alg_values': ['ES256'], 'kb-jwt_alg_values': ['ES256'] } },
        ...(input.mode === 'direct_post.jwt' && {
          jwks: { keys: [publicJwk(encryptionKey)] },
          encrypted_response_enc_values_supported: ['A128GCM', 'A256GCM'],
        }),
      },
    },
    jar: {
      jwtSigner: { method: 'x5c', x5c: input.x5c, alg: 'ES256' },
      requestUri: input.requestUri,
      expiresInSeconds: 300,
      ...(input.aud && { additionalJwtPayload: { aud: input.aud } }),
    },
  })
  return {
    invocation: made.authorizationRequest,
    object: made.jar.authorizationRequestJwt,
    payload: made.authorizationRequestPayload,
    encryptionKey,
  }
}

async function checkResponse() {
  const context = await callbacks({ keys: [input.encryptionKey] })
  const verifier = new Openid4vpVerifier({ callbacks: context })
  const response = await verifier.parseOpenid4vpAuthorizationResponse({
    authorizationResponse: input.form, authorizationRequestPayload: input.payload, callbacks: context,
  })
  const sdjwt = new SDJwtVcInstance({
    hasher: (data, alg) => createHash(alg.replace('-', '')).update(typeof data === 'string' ? data : Buffer.from(data)).digest(),
    hashAlg: 'sha-256',
    verifier: async (data, signature) => verified(`${data}.${signature}`, input.issuer),
    kbVerifier: async (data, signature, payload) => verified(`${data}.${signature}`, payload.cnf.jwk),
  })
  const claims = {}
  const presentations = {}
  for (const [id, list] of Object.entries(response.dcql.presentations)) {
    claims[id] = []
    presentations[id] = []
    for (const presentation of list) {
      const { payload, kb } = await sdjwt.verify(presentation, { keyBindingNonce: input.payload.nonce })
      if (kb.payload.aud !== input.payload.client_id) throw new Error(`aud ${kb.payload.aud}`)
      claims[id].push(payload)
      presentations[id].push({ credential_format: 'dc+sd-jwt', vct: payload.vct, cryptographic_holder_binding: true, claims: payload })
    }
  }
  const query = DcqlQuery.parse(input.payload.dcql_query)
  const result = DcqlPresentationResult.fromDcqlPresentation(presentations, { dcqlQuery: query })
  return { satisfied: result.can_be_satisfied, claims }
}

async function verified(jwt, jwk) {
  try {
    await jose.compactVerify(jwt, await jose.importJWK(jwk, 'ES256'))
    return true
  } catch {
    return false
  }
}

try {
  writeOutput(input.step === 'request' ? await makeRequest() : await checkResponse())
} catch (error) {
  writeOutput({ error: String(error?.stack ?? error) + (error?.cause ? `\ncause: ${error.cause}` : '') })
}
