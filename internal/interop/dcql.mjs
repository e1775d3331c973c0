// Evaluates DCQL queries. Input: {query, credentials: [{format, vct | types, claims}]}. Output: {satisfied, matches: {id:
// [{credential, output}]}, options: [first matching option or null]}
import { DcqlQuery } from 'dcql'
import { readInput, writeOutput } from './lib.mjs'

const input = await readInput()
const query = DcqlQuery.parse(input.query)
DcqlQuery.validate(query)
const result = DcqlQuery.query(query, input.credentials.map((c) => ({
  credential_format: c.format,
  ...(c.vct ? { vct: c.vct } : { type: c.types }),
  cryptographic_holder_binding: true,
  claims: c.claims,
})))
const matches = {}
for (const [id, match] of Object.entries(result.credential_matches)) {
  matches[id] = (match.valid_credentials ?? []).map((v) => ({ credential: v.input_credential_index, output: v.claims.valid_claim_sets?.[0]?.output ?? null }))
}
writeOutput({
  satisfied: result.can_be_satisfied,
  matches,
  options: (result.credential_sets ?? []).map((s) => s.matching_options?.[0] ?? null),
})
