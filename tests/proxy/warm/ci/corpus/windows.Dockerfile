# escape=`
FROM mcr.microsoft.com/windows/servercore:ltsc2022
RUN powershell -Command `
    Write-Host "FROM not/this:1"
SHELL ["cmd"]
