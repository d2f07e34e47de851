/** As in `us-east-1`. */
export const REGION = /^[a-z]{2}(?:-[a-z]+)+-\d$/;
export const ROLE_ARN = /^arn:aws(?:-cn|-us-gov)?:iam::\d{12}:role\/[\w+=,.@/-]{1,512}$/;
