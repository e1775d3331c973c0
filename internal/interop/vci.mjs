// A wallet that takes one OpenID4VCI offer with the pre-authorized code, a transaction code and a batch of key proofs.
// Input: {invocation, txCode, keys: [private JWK], binding: "jwk" | "did", dpop: private JWK or null, anchors, hostile?}
// Output: {version, display, tokenType, refreshed, credentials: [text], verified: [claims], notified, error}
// hostile: "replay" (the nonce of an earlier request), "audience", "key" (a proof signed by another key), "typ".
import { Openid4vciClient, Openid4vciRetrieveCredentialsError } from '@openid4vc/openid4vci'
import { Oauth2Client } from '@openid4vc/oauth2'
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc'
import { SDJwtInstance } from '@sd-jwt/core'
import { createHash, randomBytes } from 'node:crypto'
import * as jose from 'jose'
import { b64u, callbacks, publicJwk, readInput, writeOutput } from './lib.mjs'

const input = await readInput()
const context = await callbacks({ keys: [...input.keys, ...(input.dpop ? [input.dpop] : [])], anchors: input.anchors })
const client = new Openid4vciClient({ callbacks: context })
const output = {}

// didJwk names a key: required members only, in the order of the alphabet.
const didJwk = ({ crv, kty, x, y }) => `did:jwk:${b64u(JSON.stringify({ crv, kty, x, y }))}`

const signerOf = (key) =>
  input.binding === 'did'
    ? { method: 'did', alg: 'ES256', didUrl: `${didJwk(key)}#0` }
    : { method: 'jwk', alg: 'ES256', publicJwk: publicJwk(key) }

// spoiled makes a proof that is wrong in one way.
async function spoiled(key, issuer, nonce) {
  const payload = { aud: input.hostile === 'audience' ? 'https://elders.example' : issuer, nonce }
  const signing = input.hostile === 'key' ? (await jose.generateKeyPair('ES256')).privateKey : await jose.importJWK(key, 'ES256')
  const typ = input.hostile === 'typ' ? 'JWT' : 'openid4vci-proof+jwt'
  return new jose.SignJWT(payload).setIssuedAt().setProtectedHeader({ alg: 'ES256', typ, jwk: publicJwk(key) }).sign(signing)
}

// verify checks a credential with a library that is not ours: the issuer's signature by its DID, the disclosures, the type.
async function verify(compact) {
  const header = jose.decodeProtectedHeader(compact.split('~')[0])
  const options = {
    hasher: (data, alg) => createHash(alg.replace('-', '')).update(typeof data === 'string' ? data : Buffer.from(data)).digest(),
    hashAlg: 'sha-256',
    saltGenerator: (n) => b64u(randomBytes(n)),
    verifier: async (data, signature) => {
      const signer = header.kid.startsWith('did:') ? { method: 'did', didUrl: header.kid, alg: header.alg } : { method: 'x5c', x5c: header.x5c, alg: header.alg }
      const { verified } = await context.verifyJwt(signer, { compact: `${data}.${signature}` })
      const chained = await context.verifyJwt({ method: 'x5c', x5c: header.x5c, alg: header.alg }, { compact: `${data}.${signature}` })
      return verified && chained.verified
    },
    statusListFetcher: async (uri) => (await fetch(uri)).text(),
    statusValidator: async (status) => {
      if (status !== 0) throw new Error(`status ${status}`)
    },
    statusVerifier: async (data, signature) => {
      const { kid, alg } = JSON.parse(Buffer.from(data.split('.')[0], 'base64url'))
      return (await context.verifyJwt({ method: 'did', didUrl: kid, alg }, { compact: `${data}.${signature}` })).verified
    },
  }
  const library = header.typ === 'dc+sd-jwt' ? new SDJwtVcInstance(options) : new SDJwtInstance(options)
  await library.verify(compact)
  return library.getClaims(compact)
}

try {
  const credentialOffer = await client.resolveCredentialOffer(input.invocation)
  const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer)
  output.version = issuerMetadata.originalDraftVersion
  const [credentialConfigurationId] = credentialOffer.credential_configuration_ids
  const configuration = issuerMetadata.credentialIssuer.credential_configurations_supported[credentialConfigurationId]
  output.display = configuration.credential_metadata?.display?.map((d) => `${d.locale} ${d.name}`)

  const dpop = input.dpop && { signer: { method: 'jwk', alg: 'ES256', publicJwk: publicJwk(input.dpop) } }
  const token = await client.retrievePreAuthorizedCodeAccessTokenFromOffer({ credentialOffer, issuerMetadata, txCode: input.txCode, dpop })
  const { access_token: accessToken, token_type } = token.accessTokenResponse
  output.tokenType = token_type
  // The answers carry the newest nonce of the server, without the key.
  const bound = (answer) => token.dpop && { ...token.dpop, ...answer.dpop }

  const ask = async (nonce, accessToken, dpop) => {
    const jwt = []
    for (const key of input.keys) {
      jwt.push(
        input.hostile && input.hostile !== 'replay'
          ? await spoiled(key, credentialOffer.credential_issuer, nonce)
          : (await client.createCredentialRequestJwtProof({ issuerMetadata, credentialConfigurationId, nonce, signer: signerOf(key) })).jwt,
      )
    }
    return client.retrieveCredentials({ issuerMetadata, credentialConfigurationId, accessToken, proofs: { jwt }, dpop })
  }
  const { c_nonce } = await client.requestNonce({ issuerMetadata })
  const answer = await ask(c_nonce, accessToken, token.dpop)
  if (input.hostile === 'replay') await ask(c_nonce, accessToken, bound(answer))
  output.credentials = answer.credentialResponse.credentials.map((c) => c.credential)
  output.verified = await Promise.all(output.credentials.map(verify))
  await client.sendNotification({
    issuerMetadata, accessToken, dpop: bound(answer),
    notification: { notificationId: answer.credentialResponse.notification_id, event: 'credential_accepted' },
  })
  output.notified = true

  const again = await new Oauth2Client({ callbacks: context }).retrieveRefreshTokenAccessToken({
    authorizationServerMetadata: issuerMetadata.authorizationServers[0], refreshToken: token.accessTokenResponse.refresh_token, dpop: token.dpop,
  })
  const later = await ask((await client.requestNonce({ issuerMetadata })).c_nonce, again.accessTokenResponse.access_token, again.dpop)
  output.refreshed = later.credentialResponse.credentials.length
} catch (error) {
  const refused = error instanceof Openid4vciRetrieveCredentialsError || error?.errorResponse
  output.code = error?.response?.credentialErrorResponseResult?.data?.error ?? error?.errorResponse?.error
  output.error = `${refused ? 'refused: ' : ''}${error?.stack ?? error}${error?.cause ? `\ncause: ${error.cause}` : ''}`
}
writeOutput(output)
